module github.com/tc-hib/go-winres

go 1.19

require github.com/tc-hib/winres v0.2.1
