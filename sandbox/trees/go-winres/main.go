// Command go-winres embeds nothing.
package main

import (
	"fmt"

	"github.com/tc-hib/winres"
)

func main() {
	fmt.Println("go-winres in miniature embeds", winres.Embedded)
}
