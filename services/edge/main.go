// Command edge answers the Open Inference Protocol V2 for one version of one model: onnxruntime's library, a model, and
// as little as possible around them. README.md says what it takes.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	prefix = "TARMAC_"
	// A device has few callers, and a slow one must not keep the others' place.
	patience = 15 * time.Second
	idle     = 2 * time.Minute
	draining = 5 * time.Second
	headers  = 16 << 10
)

// fault is what a caller is told, or who starts the program: what is wrong, and what to do about it.
type fault struct {
	status       int
	what, remedy string
}

func (f fault) Error() string { return f.what + " - " + f.remedy }

func main() {
	if err := run(os.Environ()); err != nil {
		fmt.Fprintln(os.Stderr, "edge:", err)
		os.Exit(2)
	}
}

// run serves until it is told to end.
func run(environ []string) error {
	told, err := settings(environ)
	if err != nil {
		return err
	}
	onnx, err := loaded(told["LIBRARY"])
	if err != nil {
		return err
	}
	served, err := opened(onnx, told["MODELS"])
	if err != nil {
		return err
	}
	// The file that was read and what was needed to read it is garbage now, and the device has other uses for it.
	debug.FreeOSMemory()
	listener, err := net.Listen("tcp", ":"+told["PORT"])
	if err != nil {
		return fault{what: fmt.Sprintf("port %s: %v", told["PORT"], err), remedy: "set TARMAC_PORT to a free one"}
	}
	fmt.Fprintf(os.Stderr, "edge: model %s version %s on %s, onnxruntime %s\n",
		served.name, served.version, listener.Addr(), onnx.version)
	return serve(listener, protocol{served, onnx.version}.handler())
}

// serve answers until SIGTERM or Ctrl-C, then finishes what was begun.
func serve(listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: idle, MaxHeaderBytes: headers,
	}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ended.Done():
	}
	soon, cancel := context.WithTimeout(context.Background(), draining)
	defer cancel()
	if err := server.Shutdown(soon); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// settings are the values of our variables, by their names without the prefix; one that is unknown is refused.
func settings(environ []string) (map[string]string, error) {
	told := map[string]string{"PORT": "8080", "MODELS": "/models", "LIBRARY": "/lib/libonnxruntime.so"}
	for _, each := range environ {
		name, value, _ := strings.Cut(each, "=")
		short, ours := strings.CutPrefix(name, prefix)
		if _, known := told[short]; ours && !known {
			return nil, fault{what: "environment variable " + name + " is unknown", remedy: "known are " + listed(told)}
		}
		if ours {
			told[short] = value
		}
	}
	if port, err := strconv.Atoi(told["PORT"]); err != nil || port < 0 || port > 65535 {
		return nil, fault{
			what:   fmt.Sprintf("environment variable TARMAC_PORT=%q is no TCP port", told["PORT"]),
			remedy: "give it a whole number up to 65535; 0 picks a free one",
		}
	}
	return told, nil
}

// listed are the names of all variables that there are.
func listed(told map[string]string) string {
	var names []string
	for name := range told {
		names = append(names, prefix+name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
