// Command go-winres embeds nothing.
package main

import "fmt"

func main() {
	fmt.Println("go-winres in miniature")
}
