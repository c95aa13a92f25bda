// Command dockerd does nothing.
package main

func main() {}
