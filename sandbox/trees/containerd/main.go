// One program under three names that says which version it is.
package main

import "fmt"

var name, version, revision string

func main() {
	fmt.Println(name, "github.com/containerd/containerd", version, revision)
}
