package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"slices"
	"strconv"
)

const (
	// largest is how many bytes a body may have: some thousand rows.
	largest  = 1 << 20
	datatype = "FP32"
	// platform is what the full server calls models of this kind.
	platform = "onnxruntime_onnx"
)

// request is what is asked, as far as it is taken here.
type request struct {
	ID      string  `json:"id"`
	Inputs  []given `json:"inputs"`
	Outputs []struct {
		Name       string `json:"name"`
		Parameters struct {
			Binary bool `json:"binary_data"`
		} `json:"parameters"`
	} `json:"outputs"`
}

// given is an input tensor; its data stays unread until its datatype is known to be the model's.
type given struct {
	Name     string          `json:"name"`
	Shape    []int64         `json:"shape"`
	Datatype string          `json:"datatype"`
	Data     json.RawMessage `json:"data"`
}

// answer is what the model says.
type answer struct {
	Model   string   `json:"model_name"`
	Version string   `json:"model_version"`
	ID      string   `json:"id,omitempty"`
	Outputs []output `json:"outputs"`
}

type output struct {
	Name     string          `json:"name"`
	Datatype string          `json:"datatype"`
	Shape    []int64         `json:"shape"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// protocol answers the Open Inference Protocol V2, in JSON.
type protocol struct {
	model   *model
	release string
}

// handler is the protocol as HTTP has it.
func (p protocol) handler() http.Handler {
	mux := http.NewServeMux()
	for _, each := range []struct {
		method, path string
		answer       func(*http.Request) (any, error)
	}{
		{http.MethodGet, "/v2", p.about},
		{http.MethodGet, "/v2/health/live", state("live")},
		{http.MethodGet, "/v2/health/ready", state("ready")},
		{http.MethodGet, "/v2/models/{model}", p.metadata},
		{http.MethodGet, "/v2/models/{model}/ready", p.ready},
		{http.MethodGet, "/v2/models/{model}/versions/{version}", p.metadata},
		{http.MethodGet, "/v2/models/{model}/versions/{version}/ready", p.ready},
		{http.MethodPost, "/v2/models/{model}/infer", p.infer},
		{http.MethodPost, "/v2/models/{model}/versions/{version}/infer", p.infer},
	} {
		mux.HandleFunc(each.method+" "+each.path, answering(each.answer))
		mux.HandleFunc(each.path, answering(only(each.method)))
	}
	mux.HandleFunc("/", answering(nowhere))
	return mux
}

// answering writes what a function says, or its fault.
func answering(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, largest)
		said, err := answer(r)
		status := http.StatusOK
		if err != nil {
			var told fault
			if !errors.As(err, &told) || told.status == 0 {
				log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
				told = fault{http.StatusInternalServerError, "the program failed", "see what it wrote"}
			}
			status, said = told.status, map[string]string{"error": told.Error()}
		}
		body, err := json.Marshal(said)
		if err != nil {
			log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
			status, body = http.StatusInternalServerError, []byte(`{"error":"the program failed - see what it wrote"}`)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body) // whoever has gone needs no answer
	}
}

func only(method string) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		return nil, fault{http.StatusMethodNotAllowed, short(r.Method + " " + r.URL.Path + " is not possible"), "send a " + method}
	}
}

func nowhere(r *http.Request) (any, error) {
	return nil, fault{http.StatusNotFound, short("no path " + r.URL.Path), "there are /v2, /v2/health/ready, /v2/models/{model}"}
}

func state(name string) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) { return map[string]bool{name: true}, nil }
}

func (p protocol) about(*http.Request) (any, error) {
	return map[string]any{"name": "tarmac-edge", "version": p.release, "extensions": []string{}}, nil
}

// named refuses what another model or version is asked.
func (p protocol) named(r *http.Request) error {
	m := p.model
	if name := r.PathValue("model"); name != m.name {
		return fault{http.StatusNotFound, short("model " + name + " is not here"), "this program has " + m.name}
	}
	if version := r.PathValue("version"); version != "" && version != m.version {
		told := short("version " + version + " of model " + m.name + " is not here")
		return fault{http.StatusNotFound, told, "this program has version " + m.version}
	}
	return nil
}

func (p protocol) ready(r *http.Request) (any, error) {
	return map[string]any{"name": p.model.name, "ready": true}, p.named(r)
}

func (p protocol) metadata(r *http.Request) (any, error) {
	m := p.model
	told := func(t tensor) []output { return []output{{Name: t.name, Datatype: datatype, Shape: t.shape}} }
	return map[string]any{
		"name": m.name, "versions": []string{m.version}, "platform": platform,
		"inputs": told(m.input), "outputs": told(m.output),
	}, p.named(r)
}

// infer answers a request for inference.
func (p protocol) infer(r *http.Request) (any, error) {
	if err := p.named(r); err != nil {
		return nil, err
	}
	asked, err := body(r)
	if err != nil {
		return nil, err
	}
	m := p.model
	values, rows, err := m.values(asked)
	if err != nil {
		return nil, err
	}
	found, shape, err := m.run(values, rows)
	if err != nil {
		return nil, fault{http.StatusUnprocessableEntity, short("model " + m.name + ": " + err.Error()), "send other values"}
	}
	told := output{m.output.name, datatype, shape, written(found)}
	return answer{m.name, m.version, asked.ID, []output{told}}, nil
}

// body reads a request.
func body(r *http.Request) (asked request, err error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return asked, fault{http.StatusUnsupportedMediaType, short("Content-Encoding " + encoding + " is not taken"), "send the body uncompressed"}
	}
	if r.Header.Get("Inference-Header-Content-Length") != "" {
		return asked, fault{http.StatusBadRequest, "binary tensors are not taken here", "send data as JSON"}
	}
	content, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		told := fmt.Sprintf("body: it has more than %d bytes", large.Limit)
		return asked, fault{http.StatusRequestEntityTooLarge, told, "send fewer rows at a time"}
	case err != nil:
		return asked, fault{http.StatusBadRequest, short("body: " + err.Error()), "send all of it"}
	}
	if err = json.Unmarshal(content, &asked); err != nil {
		return asked, fault{http.StatusBadRequest, short("request: " + err.Error()), "send it as JSON of the Open Inference Protocol V2"}
	}
	return asked, nil
}

// values are the rows of a request, held to the model.
func (m *model) values(asked request) (values []float32, rows int64, err error) {
	for _, each := range asked.Outputs {
		if each.Name != m.output.name {
			return nil, 0, wrong(short("output "+each.Name+" is none of model "+m.name), "it gives "+m.output.name)
		}
		if each.Parameters.Binary {
			return nil, 0, wrong("output "+each.Name+": binary data is not given here", "ask for JSON")
		}
	}
	for _, each := range asked.Inputs {
		if each.Name != m.input.name {
			return nil, 0, wrong(short("input "+each.Name+" is none of model "+m.name), "it takes "+m.input.name)
		}
	}
	if len(asked.Inputs) != 1 {
		return nil, 0, wrong(fmt.Sprintf("input %s is there %d times", m.input.name, len(asked.Inputs)), "send it once")
	}
	only := asked.Inputs[0]
	if only.Datatype != datatype {
		return nil, 0, m.unfit(short("datatype is "+only.Datatype), "send "+datatype)
	}
	columns := m.input.columns()
	if len(only.Shape) != 2 || only.Shape[0] < 1 || only.Shape[1] != columns {
		told := short(fmt.Sprintf("shape is %v", only.Shape))
		return nil, 0, m.unfit(told, fmt.Sprintf("the model takes [-1, %d]; -1 is any size from 1", columns))
	}
	if values, err = m.elements(only.Data); err != nil {
		return nil, 0, err
	}
	if count := int64(len(values)); count%columns != 0 || count/columns != only.Shape[0] {
		told := fmt.Sprintf("data has %d elements, its shape is %v", count, only.Shape)
		return nil, 0, m.unfit(told, "send as many as the shape has, row by row")
	}
	return values, only.Shape[0], nil
}

// elements are the numbers of a tensor's data, flat or one list for each row. They are read in double precision and
// rounded once, as in the full server.
func (m *model) elements(data json.RawMessage) ([]float32, error) {
	if len(data) == 0 {
		return nil, m.unfit("data is missing", "send it, row by row")
	}
	var flat []*float64
	if err := json.Unmarshal(data, &flat); err != nil {
		var nested [][]*float64
		if json.Unmarshal(data, &nested) != nil {
			return nil, m.unfit(short("data: "+err.Error()), "send numbers, row by row")
		}
		for number, row := range nested {
			if int64(len(row)) != m.input.columns() {
				told := fmt.Sprintf("row %d has %d elements", number, len(row))
				return nil, m.unfit(told, fmt.Sprintf("send %d in each", m.input.columns()))
			}
		}
		flat = slices.Concat(nested...)
	}
	found := make([]float32, len(flat))
	for place, each := range flat {
		switch {
		case each == nil && m.gaps:
			found[place] = float32(math.NaN())
		case each == nil:
			return nil, m.unfit(fmt.Sprintf("element %d is null", place), "send numbers; nothing may be missing without a card")
		case math.Abs(*each) > math.MaxFloat32:
			return nil, m.unfit(fmt.Sprintf("element %d is %g", place, *each), "send what FP32 can hold")
		default:
			found[place] = float32(*each)
		}
	}
	return found, nil
}

func (m *model) unfit(what, remedy string) fault {
	return wrong("input "+m.input.name+": "+what, remedy)
}

func wrong(what, remedy string) fault { return fault{http.StatusBadRequest, what, remedy} }

// written are numbers as JSON has them, in as many digits as the full server gives; what is none is null.
func written(values []float32) json.RawMessage {
	text := []byte{'['}
	for place, each := range values {
		if place > 0 {
			text = append(text, ',')
		}
		if wide := float64(each); math.IsNaN(wide) || math.IsInf(wide, 0) {
			text = append(text, "null"...)
		} else {
			text = strconv.AppendFloat(text, wide, 'g', -1, 64)
		}
	}
	return append(text, ']')
}

// short cuts off what a caller sent, so that no answer is as long as its question.
func short(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
