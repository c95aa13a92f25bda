// Command docker-proxy says which version it is.
package main

import (
	"flag"
	"fmt"

	"github.com/docker/docker/dockerversion"
)

func main() {
	version := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *version {
		fmt.Printf("docker-proxy (commit %s) version %s\n", dockerversion.GitCommit, dockerversion.Version)
	}
}
