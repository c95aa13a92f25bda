// Package dockerversion holds what the linker writes into the programs.
package dockerversion

var (
	GitCommit             = "library-import"
	Version               = "library-import"
	BuildTime             = "library-import"
	PlatformName          = ""
	ProductName           = ""
	DefaultProductLicense = ""
)
