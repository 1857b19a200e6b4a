package portal

// ParseTime reads a time of day, and gives it as "14:30".
//
// Understood are 14:30, 9:05, 14:30:00, 14.30, 1430, 14:30 hrs, 14h30; 2pm, 2:30 PM,
// 2.30 p.m., 14:30 PM; noon and midday. A colon or a point without am or pm is the clock
// of 24 hours, as the portal writes it.
//
// Not understood are a bare 2 or 14; midnight and 24:00 (of which day?); 14:30 am, 0:30
// pm and 13 am, which contradict themselves; seconds that are not nought; a zone, which
// the portal's own time has no need of; and anything behind it that is not understood.
func ParseTime(s string) (at string, ok bool) {
	var room [mostLexemes]lexeme
	l, ok := lex(s, room[:])
	if !ok {
		return "", false
	}
	c, rest, ok := readClock(l)
	if !ok || len(rest) > 0 || c.second != 0 {
		return "", false
	}
	return c.String(), true
}

// clock is a time of day.
type clock struct {
	hour, minute, second int
	half                 bool // It was written with am or pm.
}

func (c clock) String() string {
	return string([]byte{
		byte('0' + c.hour/10), byte('0' + c.hour%10), ':',
		byte('0' + c.minute/10), byte('0' + c.minute%10),
	})
}

func (c clock) minutes() int { return c.hour*60 + c.minute }

// readClock reads a time of day at the beginning of l.
func readClock(l lexemes) (c clock, rest lexemes, ok bool) {
	switch {
	case l.word("noon", "midday"):
		return clock{hour: 12}, l[1:], true
	case l.number(4, 4):
		c = clock{hour: l[0].value / 100, minute: l[0].value % 100}
		rest = l[1:].skipHours()
	case l.number(1, 2):
		c.hour, rest = l[0].value, l[1:]
		switch {
		case c.hour == 12 && rest.word("noon", "midday"):
			return c, rest[1:], true
		case len(rest) > 1 && rest.sign(":.") && !rest[1].apart && rest[1:].number(2, 2):
			c.minute, rest = rest[1].value, rest[2:]
			rest, ok = readSeconds(&c, rest)
			if !ok {
				return clock{}, nil, false
			}
			if rest, ok = readHalf(&c, rest); !ok {
				return clock{}, nil, false
			}
			rest = rest.skipHours()
		case rest.word("h") && !rest[0].apart && rest[1:].number(2, 2) && !rest[1].apart:
			c.minute, rest = rest[1].value, rest[2:]
		default:
			half := len(rest)
			if rest, ok = readHalf(&c, rest); !ok || len(rest) == half || l[0].value > 12 {
				return clock{}, nil, false
			}
		}
	default:
		return clock{}, nil, false
	}
	return c, rest, c.hour < 24 && c.minute < 60 && c.second < 60
}

// readSeconds reads :00 or :00.000 behind the minutes.
func readSeconds(c *clock, l lexemes) (lexemes, bool) {
	if !l.sign(":") {
		return l, true
	}
	if !l[1:].number(2, 2) {
		return nil, false
	}
	c.second, l = l[1].value, l[2:]
	if l.sign(".") && l[1:].number(1, 9) {
		l = l[2:]
	}
	return l, true
}

// readHalf reads am or pm, where they stand there, and false where they contradict the hour.
func readHalf(c *clock, l lexemes) (lexemes, bool) {
	var pm bool
	switch {
	case l.word("am", "pm"):
		pm = l[0].text == "pm"
		l = l[1:]
	case l.word("a", "p") && len(l) >= 3 && l[1:].sign(".") && l[2:].word("m"):
		pm = l[0].text == "p"
		l = l[3:].skip(".")
	default:
		return l, true
	}
	c.half = true
	switch {
	case pm && c.hour >= 1 && c.hour < 12:
		c.hour += 12
	case !pm && c.hour == 12:
		c.hour = 0
	case pm && c.hour == 0, !pm && c.hour > 12:
		return nil, false
	}
	return l, true
}

func (l lexemes) skipHours() lexemes {
	if l.word("h", "hr", "hrs", "hours") {
		return l[1:].skip(".")
	}
	return l
}

// appointmentTime reads the time at which an appointment begins. Beside what ParseTime
// understands it takes a stretch, "14:30 - 15:30", unless it is not as long as the
// duration says, and a time with its date, unless it is not the appointment's.
func appointmentTime(s, date string, minutes int) string {
	var room [mostLexemes]lexeme
	l, ok := lex(s, room[:])
	if !ok {
		return ""
	}
	if d, rest, ok := readDay(l); ok && len(rest) > 0 {
		if date == "" || d.String() != date {
			return ""
		}
		l = skipToClock(rest)
	}
	begin, rest, ok := readClock(l)
	switch {
	case !ok || begin.second != 0:
		return ""
	case len(rest) == 0:
		return begin.String()
	case !rest.sign("-") && !rest.word("to", "until", "till"):
		return ""
	}
	end, rest, ok := readClock(rest[1:])
	if !ok || len(rest) > 0 || end.second != 0 || end.half != begin.half {
		return "" // "2:30 - 3:30 pm" begins in the afternoon, or in the night.
	}
	long := (end.minutes() - begin.minutes() + 24*60) % (24 * 60)
	if long == 0 || minutes != 0 && long != minutes {
		return ""
	}
	return begin.String()
}
