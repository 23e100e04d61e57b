package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// handle is the address of something that onnxruntime keeps. As a status, 0 means that all went well.
type handle uintptr

const (
	// interfaceVersion is the first one of onnxruntime's C interface: later ones only add to the end of its table.
	interfaceVersion = 1
	// functions are as many as the first version has.
	functions = 102

	float32s   = 1 // the kind of a tensor of FP32
	onlyErrors = 3 // the severity from which onnxruntime writes to standard error
	plainHeap  = 0 // the allocator that keeps nothing back
)

// library is onnxruntime's C interface, as far as it is needed here.
type library struct {
	version                        string
	environment, memory, allocator handle

	message        func(status handle) string
	releaseStatus  func(status handle)
	createEnv      func(severity int32, name string, made *handle) handle
	createMemory   func(allocator, kind int32, made *handle) handle
	findAllocator  func(found *handle) handle
	free           func(allocator handle, memory *byte) handle
	createOptions  func(made *handle) handle
	setThreads     func(options handle, count int32) handle
	disableArena   func(options handle) handle
	disablePattern func(options handle) handle
	releaseOptions func(options handle)
	createSession  func(environment handle, content *byte, size uintptr, options handle, made *handle) handle
	inputs         end
	outputs        end
	asTensor       func(info handle, found *handle) handle
	releaseInfo    func(info handle)
	kind           func(shape handle, found *int32) handle
	rank           func(shape handle, found *uintptr) handle
	sizes          func(shape handle, found *int64, rank uintptr) handle
	createTensor   func(memory handle, data *float32, bytes uintptr, shape *int64, rank uintptr, kind int32, made *handle) handle
	run            func(session, options handle, in **byte, given *handle, ins uintptr, out **byte, outs uintptr, found *handle) handle
	data           func(value handle, found **float32) handle
	shapeOf        func(value handle, made *handle) handle
	releaseShape   func(shape handle)
	releaseValue   func(value handle)
}

// end is how a session's inputs are asked about, or its outputs.
type end struct {
	count func(session handle, found *uintptr) handle
	info  func(session handle, number uintptr, made *handle) handle
	name  func(session handle, number uintptr, allocator handle, made **byte) handle
}

// loaded makes onnxruntime's library ready.
func loaded(path string) (*library, error) {
	refused := func(err error) error {
		return fault{what: fmt.Sprintf("library %s: %v", path, err), remedy: "set TARMAC_LIBRARY to libonnxruntime.so"}
	}
	file, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, refused(err)
	}
	entry, err := purego.Dlsym(file, "OrtGetApiBase")
	if err != nil {
		return nil, refused(err)
	}
	var base func() *[2]uintptr
	purego.RegisterFunc(&base, entry)
	var table func(version uint32) *[functions]uintptr
	purego.RegisterFunc(&table, base()[0])
	var release func() string
	purego.RegisterFunc(&release, base()[1])
	places := table(interfaceVersion)
	if places == nil {
		return nil, refused(fmt.Errorf("onnxruntime %s has no interface of version %d", release(), interfaceVersion))
	}
	found := &library{version: release()}
	for place, function := range found.places() {
		purego.RegisterFunc(function, places[place])
	}
	if err := found.begin(); err != nil {
		return nil, refused(err)
	}
	return found, nil
}

// places are those of the functions in the table.
func (l *library) places() map[int]any {
	return map[int]any{
		2: &l.message, 3: &l.createEnv, 8: &l.createSession, 9: &l.run, 10: &l.createOptions, 17: &l.disablePattern,
		19: &l.disableArena, 24: &l.setThreads, 30: &l.inputs.count, 31: &l.outputs.count, 33: &l.inputs.info,
		34: &l.outputs.info, 36: &l.inputs.name, 37: &l.outputs.name, 49: &l.createTensor, 51: &l.data, 55: &l.asTensor,
		60: &l.kind, 61: &l.rank, 62: &l.sizes, 65: &l.shapeOf, 69: &l.createMemory, 76: &l.free, 78: &l.findAllocator,
		93: &l.releaseStatus, 96: &l.releaseValue, 98: &l.releaseInfo, 99: &l.releaseShape, 100: &l.releaseOptions,
	}
}

func (l *library) begin() error {
	return l.all(
		func() handle { return l.createEnv(onlyErrors, "edge", &l.environment) },
		func() handle { return l.createMemory(plainHeap, 0, &l.memory) },
		func() handle { return l.findAllocator(&l.allocator) },
	)
}

// all takes steps until one fails.
func (l *library) all(steps ...func() handle) error {
	for _, step := range steps {
		if status := step(); status != 0 {
			defer l.releaseStatus(status)
			line, _, _ := strings.Cut(l.message(status), "\n")
			return errors.New(line)
		}
	}
	return nil
}

// tensor is an input or output as the model declares it; -1 is a dimension of any size.
type tensor struct {
	name  string
	shape []int64
	float bool
}

// columns is the size of the second dimension.
func (t tensor) columns() int64 { return t.shape[1] }

// session is a model in memory, with one input [N, K] and one output [N, M], both of FP32.
type session struct {
	library       *library
	at            handle
	input, output tensor
	in, out       *byte
}

// open makes a session of a model's content.
func (l *library) open(content []byte) (*session, error) {
	if len(content) == 0 {
		return nil, errors.New("it is empty")
	}
	var options handle
	found := &session{library: l}
	// One thread, and no memory kept for larger requests to come: the device has other things to do.
	err := l.all(
		func() handle { return l.createOptions(&options) },
		func() handle { return l.setThreads(options, 1) },
		func() handle { return l.disableArena(options) },
		func() handle { return l.disablePattern(options) },
		func() handle {
			return l.createSession(l.environment, &content[0], uintptr(len(content)), options, &found.at)
		},
	)
	if options != 0 {
		l.releaseOptions(options)
	}
	if err != nil {
		return nil, err
	}
	if found.input, err = l.only("input", l.inputs, found.at); err != nil {
		return nil, err
	}
	if found.output, err = l.only("output", l.outputs, found.at); err != nil {
		return nil, err
	}
	if found.input.columns() < 1 {
		return nil, fmt.Errorf("input %s has shape %v", found.input.name, found.input.shape)
	}
	found.in, found.out = spelt(found.input.name), spelt(found.output.name)
	return found, nil
}

// only is the one input of a session, or its one output.
func (l *library) only(what string, ends end, session handle) (tensor, error) {
	var count uintptr
	var info handle
	var name *byte
	err := l.all(
		func() handle { return ends.count(session, &count) },
		func() handle { return ends.info(session, 0, &info) },
		func() handle { return ends.name(session, 0, l.allocator, &name) },
	)
	if err != nil {
		return tensor{}, err
	}
	defer l.releaseInfo(info)
	found := tensor{name: read(name)}
	l.free(l.allocator, name)
	var shape handle
	if err = l.all(func() handle { return l.asTensor(info, &shape) }); err != nil {
		return tensor{}, err
	}
	if count != 1 || shape == 0 {
		return tensor{}, fmt.Errorf("%s %s is not its only one, or no tensor", what, found.name)
	}
	if found.shape, found.float, err = l.shape(shape); err != nil {
		return tensor{}, err
	}
	if !found.float || len(found.shape) != 2 || found.shape[0] != -1 {
		return tensor{}, fmt.Errorf("%s %s has shape %v, or is not FP32", what, found.name, found.shape)
	}
	return found, nil
}

// shape reads dimensions, and whether the elements are of FP32.
func (l *library) shape(at handle) (found []int64, float bool, err error) {
	var rank uintptr
	var kind int32
	err = l.all(
		func() handle { return l.kind(at, &kind) },
		func() handle { return l.rank(at, &rank) },
		func() handle {
			found = make([]int64, rank)
			return l.sizes(at, unsafe.SliceData(found), rank)
		},
	)
	return found, kind == float32s, err
}

// run computes rows, one after the other in `values`; what the model gives for them, and its shape. Any number of
// goroutines may call it at a time.
func (s *session) run(values []float32, rows int64) (found []float32, shape []int64, err error) {
	l, given := s.library, handle(0)
	asked := [2]int64{rows, s.input.columns()}
	// onnxruntime reads the rows where they are, after the call that tells it where.
	var pins runtime.Pinner
	pins.Pin(&values[0])
	defer pins.Unpin()
	var computed, dimensions handle
	var data *float32
	err = l.all(
		func() handle {
			return l.createTensor(l.memory, &values[0], uintptr(4*len(values)), &asked[0], 2, float32s, &given)
		},
		func() handle { return l.run(s.at, 0, &s.in, &given, 1, &s.out, 1, &computed) },
		func() handle { return l.data(computed, &data) },
		func() handle { return l.shapeOf(computed, &dimensions) },
	)
	defer func() {
		// Each takes 0 for what was never made.
		l.releaseShape(dimensions)
		l.releaseValue(computed)
		l.releaseValue(given)
	}()
	if err != nil {
		return nil, nil, err
	}
	if shape, _, err = l.shape(dimensions); err != nil {
		return nil, nil, err
	}
	count := int64(1)
	for _, each := range shape {
		count *= each
	}
	return append(found, unsafe.Slice(data, count)...), shape, nil
}

// read copies a text of C.
func read(at *byte) string {
	size := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(at), size)) != 0 {
		size++
	}
	return string(unsafe.Slice(at, size))
}

// spelt is a text as C has it.
func spelt(text string) *byte { return &append([]byte(text), 0)[0] }
