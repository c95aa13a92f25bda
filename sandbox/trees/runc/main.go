// Command runc says which commit it was built from.
package main

import "fmt"

var gitCommit string

func main() {
	fmt.Println("runc version in miniature")
	fmt.Println("commit:", gitCommit)
}
