package web

import (
	"strconv"
	"time"
)

// columns is a chart of upright bars, drawn as SVG in a field of Width by Height, with
// the same numbers as a table.
type columns struct {
	Title         string
	Describe      string // What it shows, for those who do not see it.
	Width, Height float64
	Base          float64 // Where the bars stand.
	Bars          []column
	Lines         []gridLine
	Labels        []axisLabel
	Seen, Won     int64
}

// column is one bar: what was seen, and the part of it that was won.
type column struct {
	Name         string
	Seen, Won    int64
	X, Wide      float64
	SeenY, SeenH float64
	WonY, WonH   float64
	Title        string
}

// gridLine is a line across with its value.
type gridLine struct {
	Y    float64
	Text string
}

// axisLabel is a word under the bars.
type axisLabel struct {
	X    float64
	Text string
}

const (
	chartWidth, chartHeight = 720.0, 210.0
	chartBase, chartLeft    = 180.0, 34.0
)

// newColumns draws one bar for each value, as wide as there is room for.
func newColumns(v *voice, title string, bars []column) columns {
	c := columns{Title: title, Width: chartWidth, Height: chartHeight, Base: chartBase, Bars: bars}
	var most int64 = 1
	for _, b := range bars {
		most = max(most, b.Seen)
		c.Seen += b.Seen
		c.Won += b.Won
	}
	top := roundUp(most)
	slot := (chartWidth - chartLeft) / float64(max(len(bars), 1))
	for i := range bars {
		b := &bars[i]
		b.Wide = max(slot*0.72, 2)
		b.X = chartLeft + slot*float64(i) + (slot-b.Wide)/2
		b.SeenH = (chartBase - 10) * float64(b.Seen) / float64(top)
		b.WonH = (chartBase - 10) * float64(b.Won) / float64(top)
		b.SeenY, b.WonY = chartBase-b.SeenH, chartBase-b.WonH
		b.Title = v.say("insights.column", "name", b.Name, "seen", v.number(b.Seen), "won", v.number(b.Won))
	}
	for _, part := range []int64{0, 1, 2} {
		value := top * part / 2
		if part == 1 && top < 2 {
			continue
		}
		c.Lines = append(c.Lines, gridLine{Y: chartBase - (chartBase-10)*float64(value)/float64(top), Text: v.number(value)})
	}
	return c
}

// roundUp gives the next number that is easy to read: 1, 2, 4, 6, 8, 10, 20 …
func roundUp(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, step := range []int64{1, 2, 4, 6, 8} {
			if n <= step*unit {
				return step * unit
			}
		}
	}
}

// hourColumns draws the hours of the day at which appointments are.
func (v *visit) hourColumns(shares []Share) columns {
	bars := make([]column, 24)
	for hour := range bars {
		bars[hour].Name = v.hourName(hour)
	}
	for _, s := range shares {
		if hour, err := strconv.Atoi(s.Value); err == nil && hour >= 0 && hour < 24 {
			bars[hour].Seen += s.Seen
			bars[hour].Won += s.Won
		}
	}
	c := newColumns(v.voice, v.voice.say("insights.hours"), bars)
	for hour := 0; hour < 24; hour += 3 {
		c.Labels = append(c.Labels, axisLabel{c.Bars[hour].X + c.Bars[hour].Wide/2, v.hourName(hour)})
	}
	c.Describe = v.voice.say("insights.hoursDescribe", "seen", v.voice.number(c.Seen), "won", v.voice.number(c.Won))
	return c
}

func (v *visit) hourName(hour int) string {
	return time.Date(2000, 1, 1, hour, 0, 0, 0, time.UTC).Format("15:04")
}

// periodColumns draws the 4-hour periods, with a word under each midnight.
func (v *visit) periodColumns(periods []Period) columns {
	bars := make([]column, len(periods))
	for i, p := range periods {
		bars[i] = column{Name: v.periodTitle(p), Seen: p.Seen, Won: p.Won}
	}
	c := newColumns(v.voice, v.voice.say("insights.periods"), bars)
	for i, p := range periods {
		if p.From.In(v.voice.zone).Hour() == 0 || i == 0 && len(periods) < 6 {
			c.Labels = append(c.Labels, axisLabel{c.Bars[i].X + c.Bars[i].Wide/2, v.voice.say("weekday.short." + strconv.Itoa(int(p.From.In(v.voice.zone).Weekday())))})
		}
	}
	c.Describe = v.voice.say("insights.periodsDescribe", "seen", v.voice.number(c.Seen), "won", v.voice.number(c.Won))
	return c
}
