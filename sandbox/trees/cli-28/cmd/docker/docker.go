// Command docker says which version it is.
package main

import (
	"flag"
	"fmt"

	"github.com/docker/cli/cli/version"
)

func main() {
	show := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *show {
		fmt.Printf("Docker version %s, build %s\n", version.Version, version.GitCommit)
	}
}
