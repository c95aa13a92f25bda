module github.com/moby/moby/v2

go 1.19
