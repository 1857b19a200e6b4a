package rules

import "github.com/atozbot/atozbot/app"

// expressionHolds wants the user's own expression to say "accept" or "ask".
func (s *Set) expressionHolds(x *subject) answer {
	e := s.expression
	if e == nil {
		return answer{held: app.Yes, wanted: "no expression", reason: "No expression is set."}
	}
	a := answer{held: app.Unknown, wanted: e.source}
	x.expression = expressionUnknown
	switch {
	case e.needsAppointment && !x.appointmentKnown:
		a.reason = x.say("The expression is not known. ", x.problem)
		return a
	case e.needsType && x.typState != typeKnown:
		a = x.noType(e.source)
		a.reason = x.say("The expression is not known. ", a.reason)
		return a
	case e.needsTexts && x.textsIncomplete(&a):
		a.reason = x.say("The expression is not known. ", a.reason)
		return a
	}
	result, job, err := s.runExpression(x)
	x.expression = result
	if x.told {
		a.saw = e.saw(job)
	}
	switch result {
	case expressionAccept:
		a.held, a.reason = app.Yes, "The expression holds."
	case expressionAsk:
		a.held, a.reason = app.Yes, "The expression wants you to be asked."
	case expressionLeave:
		a.held, a.reason = app.No, "The expression does not hold."
	default:
		a.reason = x.say("The expression failed: ", err.Error(), ".")
	}
	return a
}

// needNotAsk wants nothing that the user wants to be asked about. It is the last rule: a
// job for which it alone does not hold is shown to be accepted or left.
func (s *Set) needNotAsk(x *subject) answer {
	if x.expression == expressionAsk {
		return answer{held: app.No, wanted: "no question", saw: "ask", reason: "Your expression wants you to be asked."}
	}
	if len(s.ask) == 0 {
		return answer{held: app.Yes, wanted: "no question", reason: "Nothing needs your answer."}
	}
	if x.typState != typeKnown {
		return x.noType("no question")
	}
	a := answer{held: app.Yes, saw: x.job.Details.Type, wanted: "no question", reason: "Nothing needs your answer."}
	if p, ok := firstIn(x.typ, s.ask); ok {
		a.held = app.No
		a.reason = x.say("Its type holds ", x.quote(p.written), ", one that you want to be asked about.")
	}
	return a
}
