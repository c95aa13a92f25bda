// Command rootlesskit says its name.
package main

import "fmt"

func main() {
	fmt.Println("rootlesskit in miniature")
}
