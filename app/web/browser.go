package web

import "encoding/json"

// browserTexts gives the texts that the modules need, as JSON for an attribute: the
// browser counts on where the server has begun, in the same words.
func browserTexts(w *words) string {
	texts := map[string]string{}
	for name, key := range map[string]string{
		"s": "ago.seconds", "m": "ago.minutes", "h": "ago.hours", "d": "ago.days",
		"inM": "until.minutes", "inH": "until.hours", "inD": "until.days", "inNow": "until.now",
		"on": "live.on", "trying": "live.trying", "from": "offline.from", "lost": "live.lost", "back": "live.back", "fresh": "live.fresh",
	} {
		texts[name] = w.say(key)
	}
	content, err := json.Marshal(texts)
	if err != nil {
		return "{}" // It holds strings alone.
	}
	return string(content)
}
