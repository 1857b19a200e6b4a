package daemon_test

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The container is built and run as a user would, with the Docker engine of this
// machine. Where no registry is reached, the build image is made here from the Go
// toolchain that runs the test and a static busybox.

const containerToken = "container-test-token"

func TestContainer(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("skipped: the container is not built in a short run")
	}
	docker := requireDocker(t)
	image := docker.build(t)

	t.Run("is healthy with nothing configured, as non-root on a read-only root", func(t *testing.T) {
		started := time.Now()
		box := docker.run(t, image)
		box.awaitHealth(t)
		t.Logf("healthy %v after docker run began", time.Since(started).Round(time.Millisecond))

		var inspected []struct {
			Config     struct{ User string }
			HostConfig struct{ ReadonlyRootfs bool }
			State      struct{ Pid int }
		}
		docker.inspect(t, box.id, &inspected)
		if user := inspected[0].Config.User; user == "" || strings.HasPrefix(user, "0") || user == "root" {
			t.Errorf("the image's user is %q, want one that is not root", user)
		}
		if !inspected[0].HostConfig.ReadonlyRootfs {
			t.Error("the root file system is not read-only")
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", inspected[0].State.Pid))
		if err == nil && !strings.Contains(string(status), "Uid:\t65532\t") {
			t.Errorf("the process does not run as 65532:\n%s", status)
		}
		if out, err := docker.command("exec", box.id, "/atozbot", "healthcheck"); err != nil {
			t.Errorf("atozbot healthcheck inside the container: %v\n%s", err, out)
		}
	})

	t.Run("keeps its data in the volume over docker rm", func(t *testing.T) {
		volume := fmt.Sprintf("atozbot-test-%d", os.Getpid())
		docker.must(t, "volume", "create", volume)
		t.Cleanup(func() { _, _ = docker.command("volume", "rm", "-f", volume) })

		first := docker.run(t, image, "-v", volume+":/data")
		first.awaitHealth(t)
		first.put(t, "/api/bot/configuration", `{"max_accept_per_run": 7}`)
		docker.must(t, "stop", "-t", "10", first.id)
		docker.must(t, "rm", first.id)

		second := docker.run(t, image, "-v", volume+":/data")
		second.awaitHealth(t)
		var configuration struct {
			MaxAcceptPerRun int `json:"max_accept_per_run"`
		}
		second.get(t, "/api/bot/configuration", &configuration)
		if configuration.MaxAcceptPerRun != 7 {
			t.Errorf("max_accept_per_run is %d after the container was replaced, want 7", configuration.MaxAcceptPerRun)
		}
	})

	t.Run("ends with 0 on SIGTERM", func(t *testing.T) {
		box := docker.run(t, image)
		box.awaitHealth(t)
		docker.must(t, "stop", "-t", "10", box.id)
		if code := strings.TrimSpace(docker.must(t, "inspect", "-f", "{{.State.ExitCode}}", box.id)); code != "0" {
			t.Errorf("exit status %s, want 0", code)
		}
	})
}

// engine is the Docker client of this machine.
type engine struct{ path string }

func requireDocker(t *testing.T) engine {
	t.Helper()
	path, err := exec.LookPath("docker")
	if err == nil {
		err = exec.Command(path, "info").Run()
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no Docker engine here, and in CI nothing is skipped: %v", err)
		}
		t.Skipf("skipped: no Docker engine here: %v", err)
	}
	return engine{path}
}

func (e engine) command(args ...string) (string, error) {
	out, err := exec.Command(e.path, args...).CombinedOutput()
	return string(out), err
}

func (e engine) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := e.command(args...)
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (e engine) inspect(t *testing.T, id string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.must(t, "inspect", id)), into); err != nil {
		t.Fatalf("docker inspect: %v", err)
	}
}

// build builds the image from the repository's own Dockerfile.
func (e engine) build(t *testing.T) string {
	t.Helper()
	base := os.Getenv("BUILD_IMAGE")
	if base == "" {
		base = e.importBase(t)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	const image = "atozbot-test:latest"
	began := time.Now()
	e.must(t, "build", "--network", "host",
		"--build-arg", "BUILD_IMAGE="+base,
		"--build-arg", "GOPROXY="+goEnv(t, "GOPROXY"),
		"-t", image, root)
	size := strings.TrimSpace(e.must(t, "image", "inspect", "-f", "{{.Size}}", image))
	t.Logf("image built in %v, %s bytes", time.Since(began).Round(time.Second), size)
	return image
}

// importBase makes a build image of the Go toolchain, a static busybox and the root
// certificates of this machine, once for each Go version.
func (e engine) importBase(t *testing.T) string {
	t.Helper()
	tag := "atozbot-test-base:" + strings.TrimPrefix(runtime.Version(), "go")
	if _, err := e.command("image", "inspect", tag); err == nil {
		return tag
	}
	for _, needed := range []string{"/bin/busybox", "/etc/ssl/certs/ca-certificates.crt"} {
		if _, err := os.Stat(needed); err != nil {
			t.Fatalf("the build image cannot be made here: %v (apt-get install busybox-static ca-certificates)", err)
		}
	}
	load := exec.Command(e.path, "import", "--change", "ENV PATH=/usr/local/go/bin:/bin HOME=/root", "-", tag)
	stream, err := load.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	err = writeBase(stream, goEnv(t, "GOROOT"))
	if err := errors.Join(err, stream.Close(), load.Wait()); err != nil {
		t.Fatalf("docker import: %v", err)
	}
	return tag
}

func writeBase(w io.Writer, goroot string) error {
	archive := tar.NewWriter(w)
	for _, dir := range []string{"bin", "tmp", "root", "etc/ssl/certs", "usr/local"} {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o1777}); err != nil {
			return err
		}
	}
	if err := addFile(archive, "/bin/busybox", "bin/busybox", 0o755); err != nil {
		return err
	}
	for _, name := range []string{"sh", "mkdir", "chmod", "cp", "ls", "cat", "rm"} {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}); err != nil {
			return err
		}
	}
	if err := addFile(archive, "/etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt", 0o644); err != nil {
		return err
	}
	for _, part := range []string{"VERSION", "go.env", "bin", "pkg", "src"} {
		err := filepath.WalkDir(filepath.Join(goroot, part), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/testdata/") {
				return err
			}
			inside, err := filepath.Rel(goroot, path)
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			return addFile(archive, path, "usr/local/go/"+inside, info.Mode().Perm())
		})
		if err != nil {
			return err
		}
	}
	return archive.Close()
}

func addFile(archive *tar.Writer, from, name string, mode fs.FileMode) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatalf("go env %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// box is one running container.
type box struct {
	engine  engine
	id      string
	address string
}

func (e engine) run(t *testing.T, image string, more ...string) box {
	t.Helper()
	args := append([]string{
		"run", "-d", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"-e", "ATOZBOT_API_TOKEN=" + containerToken, "-p", "127.0.0.1::8000",
	}, more...)
	id := strings.TrimSpace(e.must(t, append(args, image)...))
	t.Cleanup(func() {
		if t.Failed() {
			logs, _ := e.command("logs", id)
			t.Logf("the container said:\n%s", logs)
		}
		_, _ = e.command("rm", "-f", "-v", id)
	})
	address, _, _ := strings.Cut(strings.TrimSpace(e.must(t, "port", id, "8000/tcp")), "\n")
	return box{e, id, address}
}

// awaitHealth asks until /health answers 200. That takes a second where the disk is idle;
// right after the build of an image it can be busy for long.
func (b box) awaitHealth(t *testing.T) {
	t.Helper()
	const limit = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	last := "no answer"
	for {
		if response, err := b.request(ctx, http.MethodGet, "/health", ""); err == nil {
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			last = response.Status + " " + string(body)
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not healthy after %v: %s", limit, last)
		case <-retry.C:
		}
	}
}

func (b box) put(t *testing.T, path, body string) {
	t.Helper()
	response, err := b.request(t.Context(), http.MethodPut, path, body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("PUT %s: %s\n%s", path, response.Status, text)
	}
}

func (b box) get(t *testing.T, path string, into any) {
	t.Helper()
	response, err := b.request(t.Context(), http.MethodGet, path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("GET %s: %s\n%s", path, response.Status, text)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

func (b box) request(ctx context.Context, method, path, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+b.address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+containerToken)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return http.DefaultClient.Do(request)
}
