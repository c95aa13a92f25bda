module github.com/tc-hib/go-winres

go 1.19
