package web_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// readTexts gives a catalogue as it is stored, by key; plural forms are keys of their own.
func readTexts(tb testing.TB, language string) map[string]string {
	tb.Helper()
	content, err := os.ReadFile("texts/" + language + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(content, &tree); err != nil {
		tb.Fatal(err)
	}
	texts := map[string]string{}
	var walk func(string, map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for name, value := range tree {
			switch value := value.(type) {
			case string:
				texts[prefix+name] = value
			case map[string]any:
				if other, ok := value["other"].(string); ok {
					texts[prefix+name] = other
				}
				walk(prefix+name+".", value)
			}
		}
	}
	walk("", tree)
	return texts
}

// TestTheOtherLanguageIsComplete holds that every text has its translation, with the
// same places to fill.
func TestTheOtherLanguageIsComplete(t *testing.T) {
	place := regexp.MustCompile(`\{\w+\}`)
	english, german := readTexts(t, "en"), readTexts(t, "de")
	for key, text := range english {
		other, ok := german[key]
		if !ok {
			t.Errorf("German lacks %s: %q", key, text)
			continue
		}
		a, b := place.FindAllString(text, -1), place.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s has the places %v in English and %v in German", key, a, b)
		}
	}
	for key := range maps.Keys(german) {
		if _, ok := english[key]; !ok {
			t.Errorf("English lacks %s", key)
		}
	}
}
