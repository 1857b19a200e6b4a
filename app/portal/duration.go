package portal

// ParseDuration reads how long an appointment lasts, in minutes.
//
// Understood are 30 mins, 90 min, 30 minutes, 30m; 1 hour, 2 hrs, 1h, an hour, one hour;
// 1 hour 30 minutes, 1 hr 15 mins, 1 hour and 30 minutes, 1h30; half an hour, an hour
// and a half, a quarter of an hour, 1½ hours, 1 1/2 hours; 1.5 hours and other quarters
// of an hour; 1:30 hours, and 01:30:00, which has seconds and so cannot be minutes.
//
// Not understood are a bare 30 or 01:30 (of what?); 1.30 hours, which means an hour and
// a half to some; stretches, "about", "at least" and the like; days; nought; and more
// than a week. What is not understood is 0 and false: thirty minutes are never thirty
// hours.
func ParseDuration(s string) (minutes int, ok bool) {
	var room [mostLexemes]lexeme
	l, ok := lex(s, room[:])
	if !ok {
		return 0, false
	}
	minutes, ok = readDuration(l)
	const week = 7 * 24 * 60
	if !ok || minutes < 1 || minutes > week {
		return 0, false
	}
	return minutes, true
}

func readDuration(l lexemes) (int, bool) {
	if minutes, ok := readClockDuration(l); ok {
		return minutes, true
	}
	if minutes, ok := readPhrase(l); ok {
		return minutes, true
	}
	hours, rest, inHours := readHours(l)
	if !inHours {
		minutes, rest, ok := readMinutes(l, true)
		return minutes, ok && len(rest) == 0
	}
	if len(rest) == 0 {
		return hours, true
	}
	if hours%60 != 0 {
		return 0, false // "1.5 hours 30 minutes" is said by nobody who means one thing.
	}
	behind := l[len(l)-len(rest)-1] // The unit: "1h30" needs no word for the minutes.
	rest = rest.skip(",&")
	if rest.word("and") {
		rest = rest[1:]
		if len(rest) == 2 && rest.word("a") && rest[1:].word("half") {
			return hours + 30, true
		}
	}
	goesWithoutSaying := behind.text == "h" && rest.number(2, 2)
	minutes, rest, ok := readMinutes(rest, !goesWithoutSaying)
	return hours + minutes, ok && len(rest) == 0 && minutes < 60
}

// readClockDuration reads 01:30:00, 1:30 hours and 1:30h.
func readClockDuration(l lexemes) (int, bool) {
	if len(l) < 4 || !l.number(1, 2) || !l[1:].sign(":") || !l[2:].number(2, 2) || l[2].value > 59 {
		return 0, false
	}
	minutes, rest := l[0].value*60+l[2].value, l[3:]
	switch {
	case rest.hours():
		return minutes, len(rest[1:].skip(".")) == 0
	case len(rest) == 2 && rest.sign(":") && rest[1].text == "00":
		return minutes, true
	}
	return 0, false
}

// readPhrase reads what is said without a number: half an hour, a quarter of an hour.
func readPhrase(l lexemes) (int, bool) {
	var parts int
	switch {
	case l.word("half"):
		parts, l = 30, l[1:]
	case l.word("a") && len(l) > 1 && l[1:].word("half", "quarter"):
		parts = 30
		if l[1].text == "quarter" {
			parts = 15
		}
		l = l[2:]
	case l.word("quarter"):
		parts, l = 15, l[1:]
	case l.word("three") && len(l) > 1 && (l[1:].word("quarters") || l[1:].sign("-") && l[2:].word("quarters")):
		parts, l = 45, l[1:].skip("-")[1:]
	default:
		return 0, false
	}
	l = l.skip("-")
	if l.word("of") {
		l = l[1:]
	}
	if l.word("an") {
		l = l[1:]
	}
	return parts, len(l) == 1 && l.word("hour", "hr")
}

// readHours reads a number of hours, in minutes, with its unit.
func readHours(l lexemes) (minutes int, rest lexemes, ok bool) {
	switch {
	case l.number(1, 3):
		minutes, rest = l[0].value*60, l[1:]
		switch {
		case len(rest) > 1 && rest.sign(".") && rest[1:].number(1, 2) && !rest[0].apart && !rest[1].apart:
			part, quarter := quarters(rest[1].text)
			if !quarter {
				return 0, nil, false
			}
			minutes, rest = minutes+part, rest[2:]
		case len(rest) > 0 && rest[0].kind == aFraction:
			minutes, rest = minutes+rest[0].value, rest[1:]
		case len(rest) > 2 && rest.number(1, 1) && rest[0].apart:
			part, behind, fraction := readFraction(rest)
			if !fraction {
				return 0, nil, false
			}
			minutes, rest = minutes+part, behind
		default:
			if part, behind, fraction := readFraction(l); fraction {
				minutes, rest = part, behind
			}
		}
	case len(l) > 0 && l[0].kind == aFraction:
		minutes, rest = l[0].value, l[1:]
	case len(l) > 1 && l[0].kind == aWord:
		n, named := countNamed(l[0].text)
		if !named {
			return 0, nil, false
		}
		minutes, rest = n*60, l[1:]
		if rest.word("and") && len(rest) == 4 && rest[1:].word("a") && rest[2:].word("half") {
			minutes, rest = minutes+30, rest[3:]
		}
	default:
		return 0, nil, false
	}
	rest = rest.skip("-")
	if !rest.hours() {
		return 0, nil, false
	}
	return minutes, rest[1:].skip("."), true
}

// quarters reads what stands behind the point of 1.5 or 1.25 hours. 1.30 is not read:
// it is an hour and a half to some.
func quarters(s string) (minutes int, ok bool) {
	switch s {
	case "0", "00":
		return 0, true
	case "25":
		return 15, true
	case "5", "50":
		return 30, true
	case "75":
		return 45, true
	}
	return 0, false
}

// readFraction reads 1/2, 1/4 or 3/4.
func readFraction(l lexemes) (minutes int, rest lexemes, ok bool) {
	if len(l) < 3 || !l.number(1, 1) || !l[1:].sign("/") || !l[2:].number(1, 1) {
		return 0, nil, false
	}
	switch [2]int{l[0].value, l[2].value} {
	case [2]int{1, 2}:
		return 30, l[3:], true
	case [2]int{1, 4}:
		return 15, l[3:], true
	case [2]int{3, 4}:
		return 45, l[3:], true
	}
	return 0, nil, false
}

// readMinutes reads a number of minutes, with its unit unless that goes without saying.
func readMinutes(l lexemes, unit bool) (minutes int, rest lexemes, ok bool) {
	switch {
	case l.number(1, 4):
		minutes, rest = l[0].value, l[1:]
	case len(l) > 0 && l[0].kind == aWord:
		if minutes, ok = countNamed(l[0].text); !ok || l[0].text == "an" {
			return 0, nil, false
		}
		rest = l[1:]
	default:
		return 0, nil, false
	}
	if len(rest) == 0 && !unit {
		return minutes, nil, true
	}
	rest = rest.skip("-")
	if !rest.word("m", "min", "mins", "minute", "minutes") {
		return 0, nil, false
	}
	return minutes, rest[1:].skip("."), true
}

func (l lexemes) hours() bool { return l.word("h", "hr", "hrs", "hour", "hours") }
