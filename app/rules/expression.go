package rules

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/atozbot/atozbot/app/rules/wallclock"
)

// Bounds of an expression. With them, with no loops but those over lists written out in
// the expression, and with no way to make texts longer, it ends within microseconds.
const (
	maxExpression      = 4000 // Bytes.
	maxExpressionNodes = 300
)

// expression is the user's own rule: a condition over the job that must be true, or that
// names a verdict. It runs in a sandbox: it sees [expressionJob] and nothing else, has no
// clock of its own, cannot loop at will, and an error while it runs means "not known".
type expression struct {
	source  string
	program *vm.Program
	names   []string // What it looks at, in the order of first mention.
	fields  []int    // Where that is in expressionJob.

	needsType, needsTexts, needsAppointment, needsBooked bool
}

// expressionJob is what an expression can look at. Every field is there as the tag says.
//
// With the functions
//
//	has("two words")        whether any text of the job holds these words, as words_wanted finds them
//	has_type("telephone")   whether the job type holds these words
//	same(language, "…")     whether two texts are the same with case, accents and dashes aside
//	detail("Location")      what stands beside that label on the details page; not known where there is no such label
//
// and of the language's own: and, or, not, ==, !=, <, <=, >, >=, in, contains, startsWith,
// endsWith, matches, + - * / % on numbers, ?:, if/else, let, and the functions lower,
// upper, trim, len, abs, ceil, floor, round, int, float, min, max, indexOf, hasPrefix,
// hasSuffix, any, all and none.
//
// The result is true or false, or one of the words "accept", "ask" and "leave":
//
//	duration <= 60 or weekday in ["sat", "sun"]
//	notice_hours < 3 ? "ask" : "accept"
type expressionJob struct {
	Ref       string `expr:"ref"`
	Number    string `expr:"number"`
	Language  string `expr:"language"`
	Submitted string `expr:"submitted"` // As written on the board.
	Type      string `expr:"type"`      // The job type on the details page.

	Date          string  `expr:"date"` // "2027-01-31"; texts of this form compare as days do.
	Time          string  `expr:"time"` // "14:30".
	Hour          int     `expr:"hour"`
	Minute        int     `expr:"minute"`
	Weekday       string  `expr:"weekday"`  // "mon" to "sun".
	Duration      int     `expr:"duration"` // Minutes.
	EndDate       string  `expr:"end_date"`
	EndTime       string  `expr:"end_time"`
	NoticeMinutes int     `expr:"notice_minutes"` // From now to the appointment.
	NoticeHours   float64 `expr:"notice_hours"`
	DaysAhead     int     `expr:"days_ahead"` // 0 today, 1 tomorrow.

	BookedSession int     `expr:"booked_session"` // Accepted in this session.
	BookedDay     int     `expr:"booked_day"`     // Booked on the appointment's day.
	BookedWeek    int     `expr:"booked_week"`
	HoursBooked   float64 `expr:"hours_booked"` // On the appointment's day.

	Has     func(string) bool            `expr:"has"`
	HasType func(string) bool            `expr:"has_type"`
	Same    func(string, string) bool    `expr:"same"`
	Detail  func(string) (string, error) `expr:"detail"`
}

// Term is a name that an expression can mention.
type Term struct{ Name, Meaning string }

// ExpressionTerms gives what an expression can mention, for the page on which it is
// written.
func ExpressionTerms() []Term {
	return []Term{
		{"language", "the language, as on the board"},
		{"type", "the job type, as on the details page"},
		{"duration", "minutes"},
		{"date", "the day, as \"2027-01-31\"; days compare as such texts do"},
		{"time", "when it begins, as \"14:30\""},
		{"hour", "the hour in which it begins, 0 to 23"},
		{"minute", "the minute at which it begins, 0 to 59"},
		{"weekday", "\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or \"sun\""},
		{"end_date", "the day on which it ends"},
		{"end_time", "when it ends"},
		{"notice_minutes", "minutes from now until it begins"},
		{"notice_hours", "the same in hours, with fractions"},
		{"days_ahead", "0 for today, 1 for tomorrow"},
		{"ref", "the reference, as on the board"},
		{"number", "the number before the slash of the reference"},
		{"submitted", "when it was submitted, as written on the board"},
		{"booked_session", "how many jobs this session has accepted"},
		{"booked_day", "how many jobs are booked on that day"},
		{"booked_week", "how many jobs are booked in that week"},
		{"hours_booked", "how many hours are booked on that day"},
		{"has", "has(\"two words\"): whether any text of the job holds them"},
		{"has_type", "has_type(\"telephone\"): whether the job type holds the words"},
		{"same", "same(language, \"francais\"): whether two texts are the same, with case, accents and dashes aside"},
		{"detail", "detail(\"Location\"): the text beside that label on the details page; not known without such a label"},
	}
}

// allowedFunctions are the language's own functions that an expression may call: those
// that look at a value and make nothing large of it. There is no now() and no date():
// the clock is an argument of a decision.
func allowedFunctions() []string {
	return []string{
		"lower", "upper", "trim", "len", "abs", "ceil", "floor", "round", "int", "float",
		"min", "max", "indexOf", "hasPrefix", "hasSuffix", "any", "all", "none",
	}
}

// compileExpression type-checks an expression. Its error says at which line and column
// the mistake is.
func compileExpression(source string) (*expression, error) {
	if len(source) > maxExpression {
		return nil, fmt.Errorf("longer than %d characters", maxExpression)
	}
	options := []expr.Option{
		expr.Env(&expressionJob{}), expr.AsAny(), expr.MaxNodes(maxExpressionNodes), expr.DisableAllBuiltins(),
		expr.Optimize(false), //nolint:misspell // The library's name for it.
	}
	for _, name := range allowedFunctions() {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(source, options...)
	if err != nil {
		return nil, placed(err)
	}
	e := &expression{source: strings.TrimSpace(source), program: program}
	tree := program.Node()
	fields := expressionFields()
	bounds := boundsVisitor{source: source, fields: fields}
	ast.Walk(&tree, &bounds)
	if bounds.err != nil {
		return nil, bounds.err
	}
	if err := checkResult(source, tree); err != nil {
		return nil, err
	}
	e.names = bounds.names
	for _, name := range e.names {
		e.fields = append(e.fields, fields[name])
		switch name {
		case "type", "has_type":
			e.needsType = true
		case "has", "detail":
			e.needsTexts = true
		case "date", "time", "hour", "minute", "weekday", "duration", "end_date", "end_time", "notice_minutes", "notice_hours", "days_ahead":
			e.needsAppointment = true
		case "booked_day", "booked_week", "hours_booked":
			e.needsAppointment, e.needsBooked = true, true
		}
	}
	return e, nil
}

// placed puts an error of the compiler into our words: its place, then its message.
func placed(err error) error {
	var f *file.Error
	if !errors.As(err, &f) {
		return err
	}
	line, column := f.Line, f.Column
	if line == 0 {
		line = 1
	}
	return fmt.Errorf("line %d, column %d: %s", line, column+1, f.Message)
}

// at makes an error at a node.
func at(source string, node ast.Node, format string, args ...any) error {
	f := (&file.Error{Location: node.Location(), Message: fmt.Sprintf(format, args...)}).Bind(file.NewSource(source))
	return placed(f)
}

// boundsVisitor collects the names an expression mentions and refuses what could take
// long or grow: ranges, loops in loops, and texts put together (doubling one forty times
// takes forty steps and a terabyte).
type boundsVisitor struct {
	source string
	fields map[string]int
	names  []string
	err    error
}

func (b *boundsVisitor) Visit(node *ast.Node) {
	if b.err != nil {
		return
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if _, known := b.fields[n.Value]; known && !slices.Contains(b.names, n.Value) {
			b.names = append(b.names, n.Value)
		}
	case *ast.BinaryNode:
		switch {
		case n.Operator == "..":
			b.err = at(b.source, n, "ranges are not supported")
		case n.Operator == "+" && (!number(n.Left) || !number(n.Right)):
			b.err = at(b.source, n, "only numbers can be added")
		}
	case *ast.PredicateNode:
		inner := predicateFinder{}
		ast.Walk(&n.Node, &inner)
		if inner.found {
			b.err = at(b.source, n, "any, all and none cannot stand within each other")
		}
	}
}

func number(n ast.Node) bool {
	switch n.Type().Kind() {
	case reflect.Int, reflect.Int64, reflect.Float64:
		return true
	default:
		return false
	}
}

type predicateFinder struct{ found bool }

func (p *predicateFinder) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		p.found = true
	}
}

// expressionFields gives the fields of expressionJob by their tags.
func expressionFields() map[string]int {
	t := reflect.TypeFor[expressionJob]()
	names := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		names[t.Field(i).Tag.Get("expr")] = i
	}
	return names
}

// checkResult holds that whatever way the expression goes, it ends in true, false or a
// verdict's word, so that a wrong word is found when it is saved and not at night.
func checkResult(source string, node ast.Node) error {
	switch n := node.(type) {
	case *ast.ConditionalNode:
		if err := checkResult(source, n.Exp1); err != nil {
			return err
		}
		return checkResult(source, n.Exp2)
	case *ast.VariableDeclaratorNode:
		return checkResult(source, n.Expr)
	case *ast.SequenceNode:
		return checkResult(source, n.Nodes[len(n.Nodes)-1])
	case *ast.StringNode:
		if n.Value != "accept" && n.Value != "ask" && n.Value != "leave" {
			return at(source, n, "%q is no verdict; the verdicts are \"accept\", \"ask\" and \"leave\"", n.Value)
		}
		return nil
	}
	if node.Type().Kind() != reflect.Bool {
		return at(source, node, "this gives %s; an expression gives true or false, or \"accept\", \"ask\" or \"leave\"", kindWord(node.Type().Kind()))
	}
	return nil
}

func kindWord(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a text"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array, reflect.Map:
		return "a list"
	default:
		return "something else"
	}
}

// expressionResult is what an expression said.
type expressionResult uint8

const (
	expressionNotSet expressionResult = iota
	expressionAccept
	expressionAsk
	expressionLeave
	expressionUnknown
)

// runExpression asks the expression about a job whose needs are met.
func (s *Set) runExpression(x *subject) (expressionResult, *expressionJob, error) {
	job := s.expressionJob(x)
	out, err := expr.Run(s.expression.program, job)
	if err != nil {
		return expressionUnknown, job, placed(err)
	}
	switch out {
	case true, "accept":
		return expressionAccept, job, nil
	case false, "leave":
		return expressionLeave, job, nil
	case "ask":
		return expressionAsk, job, nil
	}
	return expressionUnknown, job, fmt.Errorf("it gave %v", out)
}

var errNoLabel = errors.New("the details page has no such label")

// expressionJob gives what the expression mentions of a job, and nothing else: the rest
// would be made for nobody.
func (s *Set) expressionJob(x *subject) *expressionJob {
	j := &expressionJob{}
	for _, name := range s.expression.names {
		switch name {
		case "ref":
			j.Ref = x.job.Ref
		case "number":
			j.Number = x.job.Number
		case "language":
			j.Language = x.job.Language
		case "submitted":
			j.Submitted = x.job.SubmittedText
		case "type":
			j.Type = x.job.Details.Type
		case "booked_session":
			j.BookedSession = x.tally.Session
		case "has":
			j.Has = func(words string) bool {
				p, ok := foldPhrase(words)
				return ok && x.textHas(p)
			}
		case "has_type":
			j.HasType = func(words string) bool {
				p, ok := foldPhrase(words)
				return ok && x.typ.has(p)
			}
		case "same":
			j.Same = func(a, b string) bool { return same(a) == same(b) }
		case "detail":
			j.Detail = x.detail
		default:
			s.expressionTime(x, j, name)
		}
	}
	return j
}

// expressionTime fills what has to do with the appointment, which is known.
func (s *Set) expressionTime(x *subject, j *expressionJob, name string) {
	switch name {
	case "date":
		j.Date = x.job.Date
	case "time":
		j.Time = x.job.Time
	case "hour", "minute":
		minute, _ := wallclock.ParseMinute(x.job.Time)
		j.Hour, j.Minute = minute/60, minute%60
	case "weekday":
		keys := weekdayKeys()
		j.Weekday = keys[x.day.Weekday()]
	case "duration":
		j.Duration = x.job.DurationMinutes
	case "end_date":
		j.EndDate = x.end.In(s.zone).Format(time.DateOnly)
	case "end_time":
		j.EndTime = x.end.In(s.zone).Format("15:04")
	case "notice_minutes":
		j.NoticeMinutes = wholeMinutes(x.start.Sub(x.now))
	case "notice_hours":
		j.NoticeHours = x.start.Sub(x.now).Hours()
	case "days_ahead":
		j.DaysAhead = int(x.day - wallclock.DayIn(s.zone, x.now))
	case "booked_day":
		j.BookedDay, _ = s.booked(x, x.day, x.day+1)
	case "booked_week":
		j.BookedWeek, _ = s.booked(x, x.day.Monday(), x.day.Monday()+7)
	case "hours_booked":
		_, minutes := s.booked(x, x.day, x.day+1)
		j.HoursBooked = float64(minutes) / 60
	}
}

// detail gives the text beside a label of the details page.
func (x *subject) detail(label string) (string, error) {
	if x.job.Details != nil {
		for _, l := range x.job.Details.Labels {
			if same(strings.TrimRight(l.Label, ": ")) == same(strings.TrimRight(label, ": ")) {
				return l.Text, nil
			}
		}
	}
	return "", errNoLabel
}

// saw writes the values of what the expression mentions.
func (e *expression) saw(j *expressionJob) string {
	var b strings.Builder
	values := reflect.ValueOf(j).Elem()
	for i, name := range e.names {
		v := values.Field(e.fields[i])
		if v.Kind() == reflect.Func {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name + " = ")
		switch v.Kind() {
		case reflect.String:
			b.WriteString(strconv.Quote(v.String()))
		case reflect.Int:
			b.WriteString(strconv.FormatInt(v.Int(), 10))
		case reflect.Float64:
			b.WriteString(strconv.FormatFloat(v.Float(), 'f', -1, 64))
		default:
		}
	}
	return b.String()
}
