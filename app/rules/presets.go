package rules

import "github.com/atozbot/atozbot/app"

// Preset is a way of working with a name: some fields of a configuration, set together.
type Preset struct {
	Name    string // For addresses and scripts: "careful".
	Title   string // For people: "Careful".
	Summary string // One sentence.
	change  func(*app.Configuration)
}

// Apply gives c with the preset's fields. No preset goes live: that is asked for in words,
// by itself. Those that only watch do stop acting.
func (p Preset) Apply(c app.Configuration) app.Configuration {
	p.change(&c)
	return c
}

// Presets gives the presets: ours, then those that only the predecessor had, under its
// names and with its figures. What both call Balanced is one.
func Presets() []Preset {
	telephone := app.DefaultConfiguration().JobTypeFilter
	pace := func(c *app.Configuration, seconds float64, accept int, types string) {
		c.CheckIntervalSeconds, c.MaxAcceptPerRun, c.JobTypeFilter = seconds, accept, types
	}
	room := func(c *app.Configuration, notice, buffer int) {
		c.MinNoticeMinutes, c.BufferBefore, c.BufferAfter, c.AvoidOverlap = notice, buffer, buffer, true
	}
	watch := func(c *app.Configuration) { c.Mode, c.RejectExcluded = app.ModeWatch, false }
	return []Preset{
		{"careful", "Careful", "Two telephone jobs a session, a day ahead at least, with a quarter of an hour around each.", func(c *app.Configuration) {
			pace(c, 30, 2, telephone)
			room(c, 24*60, 15)
			c.AllowShortNotice, c.RejectExcluded = false, false
		}},
		{"balanced", "Balanced", "Five telephone jobs a session, an hour ahead at least, with five minutes around each.", func(c *app.Configuration) {
			pace(c, 10, 5, telephone)
			room(c, 60, 5)
			c.AllowShortNotice = false
		}},
		{"fast", "Fast", "Twenty telephone jobs a session, at any notice, looked for every second.", func(c *app.Configuration) {
			pace(c, 1, 20, telephone)
			room(c, 0, 0)
		}},
		{"watch", "Watch only", "Looks once a minute and decides, and does nothing on the portal.", func(c *app.Configuration) {
			c.CheckIntervalSeconds = 60
			watch(c)
		}},
		{"aggressive", "Aggressive", "As in the predecessor: twenty jobs of any type a session, looked for every two seconds.", func(c *app.Configuration) {
			pace(c, 2, 20, "")
		}},
		{"conservative", "Conservative", "As in the predecessor: two telephone jobs a session, looked for every half minute.", func(c *app.Configuration) {
			pace(c, 30, 2, telephone)
		}},
		{"monitoring", "Monitoring", "As in the predecessor: looks once a minute at jobs of any type. It does nothing on the portal.", func(c *app.Configuration) {
			pace(c, 60, 1, "")
			watch(c)
		}},
	}
}

// PresetNamed gives the preset of a name.
func PresetNamed(name string) (Preset, bool) {
	for _, p := range Presets() {
		if p.Name == name {
			return p, true
		}
	}
	return Preset{}, false
}
