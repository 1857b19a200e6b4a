// Command atozbot watches the job board of an interpreters' portal, takes the bookings
// that fit, and shows what it did and why.
//
// Here is only what a command line is: every command's work stands in app/daemon.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // The container has no time zones of its own.

	"github.com/alecthomas/kong"

	"github.com/atozbot/atozbot/app/config"
	"github.com/atozbot/atozbot/app/daemon"
)

// version and commit are set by the linker: -X main.version=1.2.3 -X main.commit=abcdef.
var version, commit string

// The exit statuses.
const (
	exitWell    = 0
	exitFailed  = 1
	exitMistake = 2 // A wrong setting, flag or command: nothing was started.
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on a second one has its ordinary effect: it ends the process.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// commandLine is everything that can be written after the program's name.
type commandLine struct {
	config.Settings `embed:"" group:"settings"`

	Serve struct {
		Demo bool `help:"Start the practice portal in the process and the bot on it, live, in the folder demo of the data folder. Nothing real is touched."`
	} `cmd:"" help:"Run everything: API, dashboard, bot."`
	Migrate struct {
		Action string `arg:"" optional:"" default:"up" enum:"up,down,status,version" help:"up, down (one step), status or version."`
		To     *int64 `placeholder:"N" help:"Up or down to this version."`
	} `cmd:"" help:"Create or change the tables of the configured database."`
	PracticePortal struct {
		Addr     string `default:"127.0.0.1:8900" placeholder:"HOST:PORT" help:"Where to listen."`
		Scenario string `placeholder:"FILE" help:"What happens, as JSON. Empty: an ordinary busy day."`
	} `cmd:"" help:"Run the practice portal alone: a stand-in for trying and testing."`
	Doctor struct {
		JSON bool `name:"json" help:"For machines."`
	} `cmd:"" help:"Check settings, database, migrations, Redis, portal log-in and the portal's profile."`
	Healthcheck struct {
		Ready bool `help:"Ask whether it can do its work, not only whether it is up."`
	} `cmd:"" help:"Ask the running server whether it is alive."`
	Import struct {
		From string `required:"" placeholder:"URL" help:"The predecessor's PostgreSQL. A password in it shows in this machine's list of processes; leave it out and set PGPASSWORD in the environment."`
	} `cmd:"" help:"Bring over a predecessor's database, once, however often it is run."`
	Backtest struct {
		Rules string `placeholder:"FILE" help:"A configuration, or a part of one, as JSON. Empty: the one in force."`
		Since string `default:"30d" placeholder:"TIME" help:"How far back: 30d, 12h, or a day such as 2027-01-31."`
	} `cmd:"" help:"Say what these rules would have done with the jobs recorded."`
	Backup struct {
		File string `arg:"" help:"The file to write."`
	} `cmd:"" help:"Write everything but secrets to one file."`
	Restore struct {
		File string `arg:"" help:"The file to read."`
	} `cmd:"" help:"Read a backup into the configured database."`
	Version struct{} `cmd:"" help:"Print version, commit and Go version."`
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args, environment []string, stdout, stderr io.Writer) int {
	code := execute(ctx, asWritten(args), environment, stdout, stderr)
	if len(args) > 0 && args[0] == "healthcheck" && code != exitWell {
		return exitFailed // Container engines give a meaning of their own to other statuses.
	}
	return code
}

// asWritten understands what people write first: nothing, help, --version.
func asWritten(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "--version" || args[0] == "-v":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

func execute(ctx context.Context, args, environment []string, stdout, stderr io.Writer) int {
	build := daemon.BuildOf(version, commit)
	reader := config.NewReader(environment)
	var line commandLine
	helped := false
	parser, err := kong.New(&line, append(reader.Options(build.Version),
		kong.Name("atozbot"),
		kong.Description("Watches an interpreters' job portal, takes the bookings that fit, and shows what it did and why."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 110}),
	)...)
	if err != nil {
		fmt.Fprintf(stderr, "atozbot: the command line cannot be described: %v\n", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if helped {
		return exitWell
	}
	if err != nil {
		return misused(err, stderr)
	}
	command, _, _ := strings.Cut(parsed.Command(), " ")
	mistakes := reader.Finish(&line.Settings, parsed)
	if err := relevant(mistakes, command, line.Serve.Demo); err != nil {
		return failed(err, stderr)
	}
	d := daemon.Process{
		Settings: line.Settings, Build: build, Mistakes: mistakes, Warnings: reader.Warnings(), Stdout: stdout, Stderr: stderr,
	}
	return failed(perform(ctx, command, &line, d), stderr)
}

// relevant leaves out the mistakes in settings that the command does not read.
func relevant(err error, command string, demo bool) error {
	mistakes, ok := errors.AsType[config.Mistakes](err)
	if !ok {
		return err
	}
	switch {
	case command == "version" || command == "doctor": // The doctor reports them itself.
		return nil
	case command == "healthcheck":
		mistakes = mistakes.Only("API_HOST", "API_PORT", "TLS_CERT_FILE", "TLS_KEY_FILE")
	case command == "practice-portal":
		mistakes = mistakes.Only("LOG_LEVEL", "LOG_FORMAT")
	case demo:
		mistakes = mistakes.Without(config.IgnoredByDemo()...)
	}
	if len(mistakes) == 0 {
		return nil
	}
	return mistakes
}

// perform does what one command says.
func perform(ctx context.Context, command string, line *commandLine, d daemon.Process) error {
	switch command {
	case "serve":
		if line.Serve.Demo {
			return d.ServeDemo(ctx)
		}
		return d.Serve(ctx)
	case "migrate":
		return d.Migrate(ctx, line.Migrate.Action, line.Migrate.To)
	case "practice-portal":
		return d.PracticePortal(ctx, line.PracticePortal.Addr, line.PracticePortal.Scenario)
	case "doctor":
		return d.Doctor(ctx, line.Doctor.JSON)
	case "healthcheck":
		return d.Healthcheck(ctx, line.Healthcheck.Ready)
	case "import":
		return d.Import(ctx, line.Import.From)
	case "backtest":
		return d.Backtest(ctx, line.Backtest.Rules, line.Backtest.Since)
	case "backup":
		return d.Backup(ctx, line.Backup.File)
	case "restore":
		return d.Restore(ctx, line.Restore.File)
	default:
		return d.Version()
	}
}

// misused tells what is wrong with the command line itself.
func misused(err error, stderr io.Writer) int {
	hint := "atozbot --help"
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		if command := parse.Context.Command(); command != "" {
			name, _, _ := strings.Cut(command, " ")
			hint = "atozbot " + name + " --help"
		}
	}
	fmt.Fprintf(stderr, "atozbot: %v\nRun \"%s\" for what can be written.\n", err, hint)
	return exitMistake
}

// failed tells an error and gives the exit status that goes with it.
func failed(err error, stderr io.Writer) int {
	switch mistakes, wrong := errors.AsType[config.Mistakes](err); {
	case err == nil:
		return exitWell
	case wrong:
		what := "a setting is wrong"
		if len(mistakes) > 1 {
			what = fmt.Sprintf("%d settings are wrong", len(mistakes))
		}
		fmt.Fprintf(stderr, "atozbot: %s, and nothing was started.\n", what)
		for _, m := range mistakes {
			fmt.Fprintf(stderr, "  %s: %s\n", m.Name, m.Reason)
		}
		fmt.Fprintln(stderr, `Run "atozbot --help" for every setting with its default.`)
		return exitMistake
	case errors.Is(err, daemon.ErrTold):
		return exitFailed
	default:
		fmt.Fprintf(stderr, "atozbot: %v\n", err)
		if errors.Is(err, daemon.ErrMisused) {
			return exitMistake
		}
		return exitFailed
	}
}
