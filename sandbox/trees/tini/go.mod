module github.com/krallin/tini

go 1.19
