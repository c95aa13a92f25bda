module github.com/rootless-containers/rootlesskit

go 1.19
