// Command docker does nothing.
package main

func main() {}
