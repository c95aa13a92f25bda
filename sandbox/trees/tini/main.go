// Command tini says which version it is.
package main

import "fmt"

var commit string

func main() {
	fmt.Printf("tini version 0.19.0 - git.%s\n", commit)
}
