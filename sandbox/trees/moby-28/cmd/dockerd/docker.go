// Command dockerd says which version it is, on the command line and over the engine's API, and runs nothing.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"

	"github.com/docker/docker/dockerversion"
)

func main() {
	version := flag.Bool("version", false, "print the version and exit")
	host := flag.String("H", "unix:///var/run/docker.sock", "socket to answer on")
	flag.Parse()
	if *version {
		fmt.Printf("Docker version %s, build %s\n", dockerversion.Version, dockerversion.GitCommit)
		return
	}
	if err := serve(*host); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers GET /_ping and GET [/vX.Y]/version on a Unix socket.
func serve(host string) error {
	listener, err := net.Listen("unix", strings.TrimPrefix(host, "unix://"))
	if err != nil {
		return err
	}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/_ping"):
			fmt.Fprint(w, "OK")
		case strings.HasSuffix(r.URL.Path, "/version"):
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(map[string]interface{}{
				"Version":   dockerversion.Version,
				"GitCommit": dockerversion.GitCommit,
				"BuildTime": dockerversion.BuildTime,
				"Platform":  map[string]string{"Name": dockerversion.PlatformName},
				"Product":   dockerversion.ProductName,
				"License":   dockerversion.DefaultProductLicense,
				"Os":        runtime.GOOS,
				"Arch":      runtime.GOARCH,
			})
		default:
			http.NotFound(w, r)
		}
	}))
}
