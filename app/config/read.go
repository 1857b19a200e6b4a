package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/atozbot/atozbot/app"
)

// fileSuffix makes of a secret's name the name of a file that holds it.
const fileSuffix = "_FILE"

// maximumSecretFile bounds what is read from such a file: a key is a line.
const maximumSecretFile = 64 << 10

// Mistake is one setting that is wrong.
type Mistake struct {
	Name   string // As the environment has it.
	Reason string // A sentence's end: what it is and what it must be. It repeats no secret.
}

// Mistakes are all that is wrong with the settings.
type Mistakes []Mistake

// Error has a line for each.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, mistake := range m {
		lines[i] = mistake.Name + ": " + mistake.Reason
	}
	return strings.Join(lines, "\n")
}

// Without leaves out the mistakes of settings that do not count.
func (m Mistakes) Without(names ...string) Mistakes {
	return slices.DeleteFunc(slices.Clone(m), func(mistake Mistake) bool {
		return slices.Contains(names, strings.TrimSuffix(mistake.Name, fileSuffix))
	})
}

// Only keeps the mistakes of the settings that count.
func (m Mistakes) Only(names ...string) Mistakes {
	return slices.DeleteFunc(slices.Clone(m), func(mistake Mistake) bool {
		return !slices.Contains(names, mistake.Name)
	})
}

// Reader teaches kong to read [Settings]: from an environment that is handed in, with
// every mistake collected where kong by itself would end at the first.
type Reader struct {
	environment map[string]string
	mistakes    Mistakes
	given       map[string]Source
	warnings    []string
	known       []string // Names of all settings.
	secret      map[string]bool
}

// NewReader reads from an environment such as os.Environ gives. A variable that is set
// to the empty text counts as not set, so that a compose file can pass on what may be
// missing.
func NewReader(environment []string) *Reader {
	r := &Reader{environment: map[string]string{}, given: map[string]Source{}, secret: map[string]bool{}}
	for _, line := range environment {
		if name, value, ok := strings.Cut(line, "="); ok && value != "" {
			r.environment[name] = value
		}
	}
	settings := reflect.TypeFor[Settings]()
	for i := range settings.NumField() {
		tag := settings.Field(i).Tag
		if name := tag.Get("setting"); name != "" {
			r.known = append(r.known, name)
			_, r.secret[name] = tag.Lookup("secret")
		}
	}
	return r
}

// Options are what kong.New must be given for a grammar that embeds [Settings]. The
// version stands in the default of PORTAL_USER_AGENT.
func (r *Reader) Options(version string) []kong.Option {
	options := []kong.Option{
		kong.Vars{"version": version},
		kong.Resolvers(kong.ResolverFunc(r.resolve)),
		kong.ValueFormatter(describe),
		kong.ExplicitGroups([]kong.Group{{
			Key:   "settings",
			Title: "Settings (a flag wins over the environment; a time is 500ms, 3s, 2m or a number of seconds):",
		}}),
	}
	settings := reflect.TypeFor[Settings]()
	for i := range settings.NumField() {
		switch kind := settings.Field(i).Type; kind.Kind() {
		case reflect.Bool:
			options = append(options, kong.TypeMapper(kind, boolean{r}))
		default:
			options = append(options, kong.TypeMapper(kind, text{r}))
		}
	}
	return options
}

// describe is the help of one setting: its name and its default, which stand first so
// that no line's end comes between them, and its sentence.
func describe(value *kong.Value) string {
	name := value.Tag.Get("setting")
	if name == "" {
		return value.Help
	}
	standard := "empty"
	if value.Default != "" {
		standard = value.Default
	}
	return fmt.Sprintf("%s (default %s). %s", name, standard, value.Help)
}

// resolve is what kong asks for a setting that no flag has given.
func (r *Reader) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	name := flag.Tag.Get("setting")
	if name == "" {
		return nil, nil
	}
	value, set := r.environment[name]
	if set {
		r.given[name] = FromEnvironment
	}
	if !r.secret[name] {
		return orNothing(value, set), nil
	}
	file, fileSet := r.environment[name+fileSuffix]
	if !fileSet {
		return orNothing(value, set), nil
	}
	if set {
		r.wrong(name+fileSuffix, "is set beside "+name+"; set one of the two")
		return value, nil
	}
	value, err := readSecret(file)
	if err != nil {
		r.wrong(name+fileSuffix, err.Error())
		return nil, nil
	}
	if value == "" {
		r.wrong(name+fileSuffix, fmt.Sprintf("%q is empty", file))
		return nil, nil
	}
	r.given[name] = FromFile
	return value, nil
}

// orNothing is the value, or what kong takes for "not mine".
func orNothing(value string, set bool) any {
	if !set {
		return nil
	}
	return value
}

// readSecret gives a file's text without the line's end that editors add.
func readSecret(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%q cannot be read: %s", path, why(err))
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maximumSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("%q cannot be read: %s", path, why(err))
	}
	if len(content) > maximumSecretFile {
		return "", fmt.Errorf("%q is longer than %d bytes", path, maximumSecretFile)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}

// why is the reason of a file's error without the path, which is told beside it.
func why(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// wrong notes a mistake, once for each setting.
func (r *Reader) wrong(name, reason string) {
	for _, m := range r.mistakes {
		if m.Name == name {
			return
		}
	}
	r.mistakes = append(r.mistakes, Mistake{Name: name, Reason: reason})
}

// Finish is called after kong has parsed. It checks what concerns several settings or
// needs a look at a file, and returns [Mistakes] or nil.
func (r *Reader) Finish(s *Settings, parsed *kong.Context) error {
	for _, path := range parsed.Path {
		if path.Flag == nil || path.Resolved {
			continue
		}
		name := path.Flag.Tag.Get("setting")
		if name == "" {
			continue
		}
		r.given[name] = FromFlag
		if r.secret[name] && !passwordless(s, name) {
			r.warnings = append(r.warnings, fmt.Sprintf("%s was given as a flag, where every user of this machine can read it; set it in the environment, or its file in %s%s", name, name, fileSuffix))
		}
	}
	s.given = r.given

	if (s.TLSCertFile == "") != (s.TLSKeyFile == "") {
		lone, missing := "TLS_CERT_FILE", "TLS_KEY_FILE"
		if s.TLSCertFile == "" {
			lone, missing = missing, lone
		}
		r.wrong(missing, "is missing, while "+lone+" is set")
	} else if s.TLSCertFile != "" {
		certificate, key := r.readable("TLS_CERT_FILE", s.TLSCertFile), r.readable("TLS_KEY_FILE", s.TLSKeyFile)
		if certificate && key {
			if _, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile); err != nil {
				r.wrong("TLS_CERT_FILE", "and TLS_KEY_FILE are no pair of a certificate and its key: "+err.Error())
			}
		}
	}
	if s.PortalProfile != "" {
		r.readable("PORTAL_PROFILE", s.PortalProfile)
	}
	if strings.ContainsFunc(s.APIToken.Reveal(), notVisible) {
		r.wrong("ATOZBOT_API_TOKEN", "may hold visible ASCII characters only, and no space, or no client can send it")
	}
	if s.SecretKey.IsSet() && len(s.SecretKey.Reveal()) < 16 {
		r.warnings = append(r.warnings, "ATOZBOT_SECRET_KEY is shorter than 16 characters; `openssl rand -hex 32` makes a good one")
	}
	if s.APIToken.IsSet() && len(s.APIToken.Reveal()) < 16 {
		r.warnings = append(r.warnings, "ATOZBOT_API_TOKEN is shorter than 16 characters, and opens everything; `openssl rand -hex 32` makes a good one")
	}
	if s.AdminPassword.IsSet() && len(s.AdminPassword.Reveal()) < 10 {
		r.warnings = append(r.warnings, "ATOZBOT_ADMIN_PASSWORD is shorter than 10 characters")
	}
	if s.SecretKeyPrevious.IsSet() && s.SecretKeyPrevious.Reveal() == s.SecretKey.Reveal() {
		r.warnings = append(r.warnings, "ATOZBOT_SECRET_KEY_PREVIOUS is the same as ATOZBOT_SECRET_KEY; the one before belongs there, or nothing")
	}
	r.nearMisses()

	if len(r.mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(r.mistakes, func(a, b Mistake) int {
		return r.place(a.Name) - r.place(b.Name)
	})
	return r.mistakes
}

// place is where a setting stands in the table, so that mistakes are told in its order.
func (r *Reader) place(name string) int {
	if at := slices.Index(r.known, name); at >= 0 {
		return at // TLS_KEY_FILE is a setting and no secret's file.
	}
	return slices.Index(r.known, strings.TrimSuffix(name, fileSuffix))
}

// passwordless tells whether the address that this setting holds keeps nothing secret.
func passwordless(s *Settings, name string) bool {
	switch name {
	case "DATABASE_URL":
		return !s.DatabaseURL.password.IsSet()
	case "REDIS_URL":
		return !s.RedisURL.password.IsSet()
	default:
		return false
	}
}

// Warnings are what is not wrong and yet worth a line in the log.
func (r *Reader) Warnings() []string { return r.warnings }

func (r *Reader) readable(name, path string) bool {
	file, err := os.Open(path)
	if err != nil {
		r.wrong(name, fmt.Sprintf("%q cannot be read: %s", path, why(err)))
		return false
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		r.wrong(name, fmt.Sprintf("%q is a folder, not a file", path))
		return false
	}
	return true
}

// nearMisses finds variables that look like a setting and are none.
func (r *Reader) nearMisses() {
	for name := range r.environment {
		plain := strings.TrimSuffix(name, fileSuffix)
		if slices.Contains(r.known, name) || slices.Contains(r.known, plain) {
			continue
		}
		closest, distance := "", 2
		for _, known := range r.known {
			if d := editDistance(name, known); d < distance {
				closest, distance = known, d
			}
		}
		switch {
		case closest != "":
			r.warnings = append(r.warnings, fmt.Sprintf("%s in the environment is no setting; did you mean %s?", name, closest))
		case strings.HasPrefix(name, "ATOZBOT_"):
			r.warnings = append(r.warnings, name+" in the environment is no setting")
		}
	}
	slices.Sort(r.warnings)
}

// Read reads the settings alone, where there is no command line around them.
func Read(args, environment []string) (Settings, error) {
	var grammar struct {
		Settings `embed:"" group:"settings"`
	}
	reader := NewReader(environment)
	parser, err := kong.New(&grammar, append(reader.Options("dev"), kong.Name("atozbot"), kong.NoDefaultHelp())...)
	if err != nil {
		return Settings{}, fmt.Errorf("describe the settings: %w", err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return Settings{}, err
	}
	return grammar.Settings, reader.Finish(&grammar.Settings, parsed)
}

// Line is one setting as the log's start and the doctor show it.
type Line struct {
	Name   string
	Value  string // Never a secret.
	Source Source
}

// Lines are the settings in force, in the table's order.
func (s Settings) Lines() []Line {
	var lines []Line
	value := reflect.ValueOf(s)
	for i := range value.NumField() {
		if name := value.Type().Field(i).Tag.Get("setting"); name != "" {
			lines = append(lines, Line{Name: name, Value: fmt.Sprint(value.Field(i).Interface()), Source: s.SourceOf(name)})
		}
	}
	return lines
}

// ForDemo are the settings of the practice: its own folder, its own portal, no database
// and no Redis but those in the process, whatever is set for the real ones. What was
// set on purpose and can do no harm stays.
func (s Settings) ForDemo(folder, portal, username, password string) Settings {
	d := s
	d.DataDir = folder
	d.DatabaseURL, d.RedisURL = DatabaseURL{}, RedisURL{}
	d.DBFallback = "none"
	d.AtozBaseURL, d.AtozUsername, d.AtozPassword = WebAddress(portal), username, NewSecret(password)
	d.JobsPath = "/interpreter-jobs"
	d.PortalProfile = ""
	d.PortalTimeout = 5 * time.Second
	d.BotMode, d.BotAutostart, d.RejectExcluded = app.ModeLive, true, true
	if s.SourceOf("REFRESH_INTERVAL_SEC") == FromDefault {
		d.RefreshIntervalSec = 1
	}
	if s.SourceOf("MAX_ACCEPT_PER_RUN") == FromDefault {
		d.MaxAcceptPerRun = 10_000
	}
	return d
}

// IgnoredByDemo names the settings that do not count in the practice, right or wrong.
func IgnoredByDemo() []string {
	return []string{
		"DATABASE_URL", "REDIS_URL", "DB_FALLBACK", "ATOZ_BASE_URL", "ATOZ_USERNAME", "ATOZ_PASSWORD",
		"ATOZ_INTERPRETER_JOBS_PATH", "PORTAL_PROFILE", "PORTAL_TIMEOUT", "BOT_MODE", "BOT_AUTOSTART", "REJECT_EXCLUDED",
	}
}
