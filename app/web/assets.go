package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/atozbot/atozbot/static"
)

// assets are the files of the dashboard, held in memory, compressed once. All of them
// share one hash in their path, so that modules can import each other by relative names
// and a new version never meets a file of an old one.
type assets struct {
	hash  string
	files map[string]asset
	icons map[string]string // The SVG text of each icon, without its <svg> element.
}

// asset is one file, plain and compressed.
type asset struct {
	kind  string // Content-Type.
	plain []byte
	// small is the file compressed, empty where that does not help. It is made when it is
	// first asked for: the start must not wait for it.
	small func() []byte
}

// newAssets reads every embedded file. The style sheets are joined in the order of their
// names, so that a page loads one.
func newAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}, icons: map[string]string{}}
	var styles bytes.Buffer
	sum := sha256.New()
	err := fs.WalkDir(static.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(static.FS, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(content))
		sum.Write(content)
		switch {
		case strings.HasPrefix(name, "css/"):
			styles.Write(content)
		case strings.HasPrefix(name, "symbols/"):
			a.icons[strings.TrimSuffix(path.Base(name), ".svg")] = string(content)
		default:
			a.add(name, content)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the embedded files: %w", err)
	}
	a.add("app.css", styles.Bytes())
	a.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return a, nil
}

func (a *assets) add(name string, content []byte) {
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // These must not hang on the machine's own table.
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	case ".png":
		kind = "image/png"
	}
	a.files[name] = asset{kind: kind, plain: content, small: sync.OnceValue(func() []byte {
		if small := compressed(content); len(small) < len(content)*9/10 {
			return small
		}
		return nil
	})}
}

// at gives the address of a file, under the hash of its content.
func (a *assets) at(name string) (string, error) {
	if _, ok := a.files[name]; !ok {
		return "", fmt.Errorf("there is no file %q in static", name)
	}
	return "/static/" + a.hash + "/" + name, nil
}

// modules gives the addresses of every module that pages load.
func (a *assets) modules() []string {
	var all []string
	for name := range a.files {
		if strings.HasPrefix(name, "js/") && name != workerFile {
			all = append(all, "/static/"+a.hash+"/"+name)
		}
	}
	slices.Sort(all)
	return all
}

// ServeHTTP serves GET /static/{hash}/{file...}. Under the right hash a file may be kept
// for ever. Under another one, as a page of another version of this server may ask for,
// it is served all the same, and not kept.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.PathValue("file")]
	if !ok {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	if r.PathValue("hash") == a.hash {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-store")
	}
	f.serve(w, r)
}

// serve writes the file, compressed where the client takes it.
func (f asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	body := f.plain
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		if small := f.small(); len(small) > 0 {
			h.Set("Content-Encoding", "gzip")
			body = small
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // A client that went away is nobody's loss.
}

// compressed gives content as gzip at its smallest.
func compressed(content []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := z.Write(content); err != nil {
		return nil
	}
	if err := z.Close(); err != nil {
		return nil
	}
	return out.Bytes()
}

// acceptsGzip tells whether the client takes gzip (RFC 9110, section 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if name = strings.ToLower(strings.TrimSpace(name)); name != "gzip" && name != "*" {
			continue
		}
		weight = strings.ReplaceAll(weight, " ", "")
		return weight != "q=0" && weight != "q=0.0" && weight != "q=0.00" && weight != "q=0.000"
	}
	return false
}
