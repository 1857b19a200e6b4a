package web

import (
	"encoding/json"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/atozbot/atozbot/app"
)

// draft makes the change that an address asks for, without saving it, and says in words
// what it was.
func (v *visit) draft(c app.Configuration, q url.Values) (app.Configuration, string) {
	if name := q.Get("preset"); name != "" {
		if changed, ok := preset(name, c); ok {
			return changed, v.voice.say("preset." + name + ".name")
		}
		return c, ""
	}
	value := shortened(strings.TrimSpace(q.Get("value")), 200)
	if value == "" {
		return c, ""
	}
	switch q.Get("change") {
	case "exclude_type":
		c.ExcludeTypes = with(c.ExcludeTypes, value)
	case "accept_type":
		c.JobTypeFilter = strings.Join(with(splitWords(c.JobTypeFilter), value), ", ")
		c.ExcludeTypes = without(c.ExcludeTypes, value)
	case "ask_type":
		c.AskTypes = with(c.AskTypes, value)
	case "with_language":
		if len(c.Languages) > 0 {
			c.Languages = with(c.Languages, value)
		}
	case "without_language":
		c.Languages = v.allBut(c.Languages, value)
	case "day_off":
		c.DaysOff = append(slices.Clone(c.DaysOff), app.DayOff{From: value, To: value})
	default:
		return c, ""
	}
	return c, value
}

// allBut leaves a language out: of the accepted ones, or of all that were seen where all
// are accepted.
func (v *visit) allBut(accepted []string, language string) []string {
	if len(accepted) == 0 {
		seen, err := v.site.Jobs.Languages(v.r.Context())
		if err != nil {
			return accepted
		}
		accepted = seen
	}
	return without(accepted, language)
}

func with(words []string, word string) []string {
	if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, word) }) {
		return words
	}
	return append(slices.Clone(words), word)
}

func without(words []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.EqualFold(w, word) })
}

// preset gives a configuration with the pace and the caps of a named way of working. It
// never goes live by itself.
func preset(name string, c app.Configuration) (app.Configuration, bool) {
	telephone := app.DefaultConfiguration().JobTypeFilter
	switch name {
	case "careful":
		c.CheckIntervalSeconds, c.MaxAcceptPerRun, c.JobTypeFilter = 30, 2, telephone
		c.MinNoticeMinutes, c.BufferBefore, c.BufferAfter, c.AvoidOverlap, c.AllowShortNotice = 24*60, 15, 15, true, false
	case "balanced":
		c.CheckIntervalSeconds, c.MaxAcceptPerRun, c.JobTypeFilter = 10, 5, telephone
		c.MinNoticeMinutes, c.BufferBefore, c.BufferAfter, c.AvoidOverlap, c.AllowShortNotice = 60, 5, 5, true, false
	case "fast":
		c.CheckIntervalSeconds, c.MaxAcceptPerRun, c.JobTypeFilter = 1, 20, telephone
		c.MinNoticeMinutes, c.BufferBefore, c.BufferAfter, c.AvoidOverlap = 0, 0, 0, true
	case "watch":
		c.CheckIntervalSeconds, c.Mode, c.RejectExcluded = 60, app.ModeWatch, false
	default:
		return c, false
	}
	return c, true
}

// presets gives the links to the presets.
func (v *visit) presets() []link {
	var all []link
	for _, name := range []string{"careful", "balanced", "fast", "watch"} {
		all = append(all, link{v.voice.say("preset." + name + ".name"), "/rules?preset=" + name})
	}
	return all
}

// change is one field that differs.
type change struct{ Name, Old, New string }

// changes gives the fields that differ between two configurations, by the names that
// people know.
func (v *visit) changes(old, fresh app.Configuration) []change {
	a, b := v.fieldTexts(old), v.fieldTexts(fresh)
	var all []change
	for name := range b {
		if key := "config." + name; a[name] != b[name] && v.voice.knows(key) {
			all = append(all, change{v.voice.say(key), a[name], b[name]})
		}
	}
	sort.Slice(all, func(i, k int) bool { return all[i].Name < all[k].Name })
	return all
}

// fieldTexts gives every field of a configuration as text, by its name in the API.
func (v *visit) fieldTexts(c app.Configuration) map[string]string {
	content, err := json.Marshal(c)
	if err != nil {
		return nil // A configuration holds nothing that JSON cannot.
	}
	var fields map[string]any
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil
	}
	texts := make(map[string]string, len(fields))
	for name, value := range fields {
		texts[name] = v.fieldText(name, value)
	}
	return texts
}

// fieldText gives the value of a field, with the unit that its name ends in.
func (v *visit) fieldText(name string, value any) string {
	n, isNumber := value.(float64)
	switch {
	case isNumber && n > 0 && strings.HasSuffix(name, "_minutes"):
		return v.voice.length(int(n))
	case isNumber && n > 0 && strings.HasSuffix(name, "_seconds"):
		return v.voice.took(time.Duration(n * float64(time.Second)))
	}
	return v.valueText(value)
}

func (v *visit) valueText(value any) string {
	switch value := value.(type) {
	case nil:
		return v.voice.say("rules.none")
	case bool:
		if value {
			return v.voice.say("rules.yes")
		}
		return v.voice.say("rules.no")
	case float64:
		return v.voice.decimal(value)
	case string:
		return orElse(value, v.voice.say("rules.none"))
	case []any:
		texts := make([]string, len(value))
		for i, one := range value {
			texts[i] = v.valueText(one)
		}
		return orElse(strings.Join(texts, ", "), v.voice.say("rules.none"))
	case map[string]any:
		names := make([]string, 0, len(value))
		for name := range value {
			names = append(names, name)
		}
		sort.Strings(names)
		texts := make([]string, len(names))
		for i, name := range names {
			texts[i] = v.valueText(value[name])
		}
		return orElse(strings.Join(texts, " "), v.voice.say("rules.none"))
	}
	return ""
}
