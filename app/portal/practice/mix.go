package practice

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is a sort of job that generators make.
type Kind string

// The kinds.
const (
	KindTelephone    Kind = "telephone"     // Fits the rules out of the box.
	KindFaceToFace   Kind = "face_to_face"  // An excluded type.
	KindBoth         Kind = "both"          // An excluded type beside an accepted one: the excluded one wins.
	KindVideo        Kind = "video"         //
	KindSign         Kind = "sign"          //
	KindUntyped      Kind = "untyped"       // The type is empty.
	KindUnreadable   Kind = "unreadable"    // A telephone job with a cell that nobody can understand.
	KindUnmatched    Kind = "unmatched"     // A status that is not "matched", though it may look like it.
	KindShortNotice  Kind = "short_notice"  // A telephone job within the next 24 hours.
	KindPast         Kind = "past"          // A telephone job that was yesterday.
	KindRefused      Kind = "refused"       // A telephone job that the portal does not give.
	KindCancelDialog Kind = "cancel_dialog" // A telephone job that comes with the wrong dialog.
)

// Mix says how many jobs of each kind there are, in any unit.
type Mix map[Kind]float64

// UsualMix is what a board is like on a busy day, and everything odd besides.
func UsualMix() Mix {
	return Mix{
		KindTelephone: 55, KindFaceToFace: 13, KindBoth: 2, KindVideo: 8, KindSign: 4, KindUntyped: 3,
		KindUnreadable: 4, KindUnmatched: 5, KindShortNotice: 2, KindPast: 1, KindRefused: 1.5, KindCancelDialog: 1.5,
	}
}

// kinds in the order in which they are drawn, since a map has none.
var kinds = []Kind{
	KindTelephone, KindFaceToFace, KindBoth, KindVideo, KindSign, KindUntyped, KindUnreadable,
	KindUnmatched, KindShortNotice, KindPast, KindRefused, KindCancelDialog,
}

// draw gives a kind, each as likely as its share.
func (m Mix) draw(r *rand.Rand) Kind {
	var sum float64
	for _, k := range kinds {
		sum += m[k]
	}
	at := r.Float64() * sum
	for _, k := range kinds {
		if at -= m[k]; at < 0 {
			return k
		}
	}
	return KindTelephone
}

var (
	languages = []string{
		"Polish", "Romanian", "Arabic", "Urdu", "Punjabi", "Bengali", "Kurdish (Sorani)", "Tigrinya", "Farsi",
		"Portuguese (Brazilian)", "Albanian", "Vietnamese", "Spanish", "Ukrainian", "Turkish", "Pashto",
		"Norwegian (Bokmål)", "Guaraní", "Māori", "Chinese – Mandarin",
	}
	telephoneTypes = []string{
		TypeTelephone, TypeTelephone, TypeTelephone, TypeTelephone, TypeTelephone, "TELEPHONE INTERPRETING",
		"telephone  interpreting", "Telephone interpreting (pre-booked)", "Interpreter: Telephone Interpreting – female preferred",
	}
	faceToFaceTypes = []string{
		TypeFaceToFace, TypeFaceToFace, "Face to Face interpreting", "FACE-TO-FACE", "In-Person interpreting", "Onsite interpreting",
		"Interpreter, face to face (court)",
	}
	bothTypes = []string{
		"Telephone interpreting or Face-to-Face", "Face to Face (was: Telephone interpreting)", "In-Person, telephone interpreting as a fallback",
	}
	videoTypes = []string{TypeVideo, "Video remote interpreting (VRI)", "Remote – Teams", "Telephone and video"}
	signTypes  = []string{TypeSign, "BSL", "Lipspeaking"}
	lengths    = []int{15, 20, 30, 30, 30, 45, 60, 60, 90, 120}
	unreadable = []Written{
		{Date: "tbc"},
		{Date: "31/02/2027"},
		{Date: "2027-13-40"},
		{Date: "-"},
		{Time: "in the morning"},
		{Time: "25:61"},
		{Time: "-"},
		{Duration: "as long as needed"},
		{Duration: "-"},
		{Language: "-"},
	}
	otherStatuses = []string{"Unmatched", "Pending", "Filled", "Cancelled", "Matched to another interpreter", "On hold"}
	refusals      = []string{"Your profile does not meet the requirements of this booking.", "You have reached the limit of your agreement."}
)

// generate makes a job of a kind, without a time for its appointment where it needs a
// free one.
func generate(r *rand.Rand, kind Kind) Job {
	j := Job{
		Kind: kind, Language: pick(r, languages), Minutes: pick(r, lengths),
		Type: pick(r, telephoneTypes), Suffix: pick(r, []string{"A", "A", "A", "B", "C"}), ShortNotice: AskedNever,
	}
	switch kind {
	case KindFaceToFace:
		j.Expect, j.Type = ExpectReject, pick(r, faceToFaceTypes)
		if r.IntN(8) == 0 {
			j.Written = pick(r, unreadable) // It is rejected for its type, whatever else it says.
		}
	case KindBoth:
		j.Expect, j.Type = ExpectReject, pick(r, bothTypes)
	case KindVideo:
		j.Expect, j.Type = ExpectLeave, pick(r, videoTypes)
	case KindSign:
		j.Expect, j.Type = ExpectLeave, pick(r, signTypes)
	case KindUntyped:
		j.Expect, j.Type = ExpectLeave, NoType
	case KindUnreadable:
		j.Expect, j.Written = ExpectLeave, pick(r, unreadable)
	case KindUnmatched:
		j.Expect, j.Status = ExpectIgnore, pick(r, otherStatuses)
	case KindShortNotice:
		j.Expect, j.ShortNotice = ExpectRefused, AskedByTime
		j.StartsIn = time.Duration(2*60+r.IntN(20*60)) * time.Minute
	case KindPast:
		j.Expect, j.Day, j.Clock = ExpectLeave, -1, "10:30"
	case KindRefused:
		j.Expect, j.Refusal = ExpectRefused, pick(r, refusals)
	case KindCancelDialog:
		j.Expect, j.CancelDialog = ExpectRefused, true
	default:
		j.Expect = ExpectAccept
	}
	j.Extra = extras(r, kind)
	return j
}

// extras are further lines of the details. Some hold the words that decide about the
// type, in a place where they decide nothing.
func extras(r *rand.Rand, kind Kind) []Label {
	lines := []Label{{"Client", pick(r, []string{"City Hospital", "County Court", "Riverside Surgery", "Housing Office", "St Mary’s School"})}}
	if r.IntN(4) == 0 {
		switch kind {
		case KindTelephone:
			lines = append(lines, Label{"Notes", "The last appointment was face-to-face; this one is by telephone."})
		case KindVideo, KindSign:
			lines = append(lines, Label{"Notes", "Telephone interpreting is not possible."})
		}
	}
	return lines
}

// diary gives out times for appointments that do not overlap.
type diary struct {
	day     int
	minutes int // Since midnight.
}

const (
	dayBegins = 8 * 60
	dayEnds   = 20 * 60
)

// next gives a time that is free for so many minutes.
func (d *diary) next(r *rand.Rand, length int) (day int, clock string) {
	at := max(d.minutes, dayBegins) + 15*r.IntN(3)
	if at+length > dayEnds {
		d.day++
		at = dayBegins + 15*r.IntN(3)
	}
	d.minutes = (at + length + 14) / 15 * 15
	return d.day, clockText(at)
}

func clockText(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }
