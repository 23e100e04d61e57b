package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names of a version's files; services/contracts/models.py says what they hold.
const modelFile, cardFile = "model.onnx", "card.json"

// card is what has to be known here of what the training says of a version.
type card struct {
	Features []string `json:"features"`
	SHA256   string   `json:"sha256"`
}

// model is the one version that is served.
type model struct {
	*session
	name, version string
	// gaps says whether null stands for a missing value; as in the full server it does with a card, and only then.
	gaps bool
}

// opened makes the one version below a folder ready: MODEL/VERSION/model.onnx, as the full server's folder has it.
func opened(onnx *library, root string) (*model, error) {
	files, err := filepath.Glob(filepath.Join(root, "*", "*", modelFile))
	if err != nil || len(files) != 1 {
		return nil, fault{
			what:   fmt.Sprintf("models at %s: %d versions have a %s", root, len(files), modelFile),
			remedy: "give the folder of one, MODEL/VERSION/" + modelFile,
		}
	}
	folder := filepath.Dir(files[0])
	found := &model{name: filepath.Base(filepath.Dir(folder)), version: filepath.Base(folder)}
	content, err := os.ReadFile(files[0])
	if err != nil {
		return nil, found.wrong(err.Error(), "see to the file and who may read it")
	}
	features, err := found.held(folder, content)
	if err != nil {
		return nil, err
	}
	if found.session, err = onnx.open(content); err != nil {
		return nil, found.wrong(err.Error(), "bring a valid ONNX model with one input FP32 [N, K] and one output FP32 [N, M]")
	}
	if found.gaps && int64(features) != found.input.columns() {
		told := fmt.Sprintf("it takes %d columns, its card names %d features", found.input.columns(), features)
		return nil, found.wrong(told, "bring the card that was registered with the model")
	}
	return found, nil
}

// held holds the content of a model to the card beside it, where there is one; how many features that names.
func (m *model) held(folder string, content []byte) (int, error) {
	told, err := os.ReadFile(filepath.Join(folder, cardFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var found card
	if err == nil {
		err = json.Unmarshal(told, &found)
	}
	if err != nil {
		return 0, m.wrong("its "+cardFile+" cannot be read: "+err.Error(), "bring the one that was registered")
	}
	hash := sha256.Sum256(content)
	if seen := hex.EncodeToString(hash[:]); seen != found.SHA256 {
		said := fmt.Sprintf("%s has sha256 %.12s, its card says %.12s", modelFile, seen, found.SHA256)
		return 0, m.wrong(said, "the file was changed or cut off on its way: bring it again")
	}
	m.gaps = true
	return len(found.Features), nil
}

func (m *model) wrong(what, remedy string) fault {
	return fault{what: fmt.Sprintf("model %s version %s: %s", m.name, m.version, what), remedy: remedy}
}
