package calendar

import "strings"

// windowsZone gives the name in the time zone database of a zone of Windows and Outlook,
// "" for one that is not known. The pairs are those of the Unicode CLDR's windowsZones for
// territory 001. Outlook on the web also writes "(UTC+00:00) Dublin, Edinburgh, Lisbon,
// London", which begins as the system's own description of the zone does.
func windowsZone(name string) string {
	name = strings.Trim(strings.TrimSpace(name), `"`)
	if strings.HasPrefix(name, "(") {
		return describedZone(name)
	}
	switch name {
	case "GMT Standard Time", "GMT Daylight Time":
		return "Europe/London"
	case "Greenwich Standard Time":
		return "Atlantic/Reykjavik"
	case "W. Europe Standard Time", "W. Europe Daylight Time":
		return "Europe/Berlin"
	case "Central Europe Standard Time":
		return "Europe/Budapest"
	case "Central European Standard Time":
		return "Europe/Warsaw"
	case "Romance Standard Time":
		return "Europe/Paris"
	case "E. Europe Standard Time":
		return "Europe/Chisinau"
	case "GTB Standard Time":
		return "Europe/Bucharest"
	case "FLE Standard Time":
		return "Europe/Kiev"
	case "Kaliningrad Standard Time":
		return "Europe/Kaliningrad"
	case "Russian Standard Time":
		return "Europe/Moscow"
	case "Belarus Standard Time":
		return "Europe/Minsk"
	case "Turkey Standard Time":
		return "Europe/Istanbul"
	case "Volgograd Standard Time":
		return "Europe/Volgograd"
	case "Saratov Standard Time":
		return "Europe/Saratov"
	case "Astrakhan Standard Time":
		return "Europe/Astrakhan"
	case "Russia Time Zone 3":
		return "Europe/Samara"
	case "UTC", "Coordinated Universal Time":
		return "Etc/UTC"
	case "UTC-02":
		return "Etc/GMT+2"
	case "UTC-08":
		return "Etc/GMT+8"
	case "UTC-09":
		return "Etc/GMT+9"
	case "UTC-11":
		return "Etc/GMT+11"
	case "UTC+12":
		return "Etc/GMT-12"
	case "UTC+13":
		return "Etc/GMT-13"
	case "Dateline Standard Time":
		return "Etc/GMT+12"
	case "Aleutian Standard Time":
		return "America/Adak"
	case "Hawaiian Standard Time":
		return "Pacific/Honolulu"
	case "Marquesas Standard Time":
		return "Pacific/Marquesas"
	case "Alaskan Standard Time":
		return "America/Anchorage"
	case "Pacific Standard Time", "Pacific Daylight Time":
		return "America/Los_Angeles"
	case "Pacific Standard Time (Mexico)":
		return "America/Tijuana"
	case "US Mountain Standard Time":
		return "America/Phoenix"
	case "Mountain Standard Time":
		return "America/Denver"
	case "Mountain Standard Time (Mexico)":
		return "America/Mazatlan"
	case "Yukon Standard Time":
		return "America/Whitehorse"
	case "Central Standard Time":
		return "America/Chicago"
	case "Central Standard Time (Mexico)":
		return "America/Mexico_City"
	case "Central America Standard Time":
		return "America/Guatemala"
	case "Canada Central Standard Time":
		return "America/Regina"
	case "Easter Island Standard Time":
		return "Pacific/Easter"
	case "Eastern Standard Time", "Eastern Daylight Time":
		return "America/New_York"
	case "Eastern Standard Time (Mexico)":
		return "America/Cancun"
	case "US Eastern Standard Time":
		return "America/Indianapolis"
	case "SA Pacific Standard Time":
		return "America/Bogota"
	case "Haiti Standard Time":
		return "America/Port-au-Prince"
	case "Cuba Standard Time":
		return "America/Havana"
	case "Turks And Caicos Standard Time":
		return "America/Grand_Turk"
	case "Paraguay Standard Time":
		return "America/Asuncion"
	case "Atlantic Standard Time":
		return "America/Halifax"
	case "Venezuela Standard Time":
		return "America/Caracas"
	case "Central Brazilian Standard Time":
		return "America/Cuiaba"
	case "SA Western Standard Time":
		return "America/La_Paz"
	case "Pacific SA Standard Time":
		return "America/Santiago"
	case "Newfoundland Standard Time":
		return "America/St_Johns"
	case "Tocantins Standard Time":
		return "America/Araguaina"
	case "E. South America Standard Time":
		return "America/Sao_Paulo"
	case "SA Eastern Standard Time":
		return "America/Cayenne"
	case "Argentina Standard Time":
		return "America/Buenos_Aires"
	case "Greenland Standard Time":
		return "America/Godthab"
	case "Montevideo Standard Time":
		return "America/Montevideo"
	case "Magallanes Standard Time":
		return "America/Punta_Arenas"
	case "Saint Pierre Standard Time":
		return "America/Miquelon"
	case "Bahia Standard Time":
		return "America/Bahia"
	case "Azores Standard Time":
		return "Atlantic/Azores"
	case "Cape Verde Standard Time":
		return "Atlantic/Cape_Verde"
	}
	return easternWindowsZone(name)
}

// easternWindowsZone is the rest of the list: Africa, Asia, Australia and the Pacific.
func easternWindowsZone(name string) string {
	switch name {
	case "Morocco Standard Time":
		return "Africa/Casablanca"
	case "Sao Tome Standard Time":
		return "Africa/Sao_Tome"
	case "W. Central Africa Standard Time":
		return "Africa/Lagos"
	case "Egypt Standard Time":
		return "Africa/Cairo"
	case "South Africa Standard Time":
		return "Africa/Johannesburg"
	case "South Sudan Standard Time":
		return "Africa/Juba"
	case "Sudan Standard Time":
		return "Africa/Khartoum"
	case "Libya Standard Time":
		return "Africa/Tripoli"
	case "Namibia Standard Time":
		return "Africa/Windhoek"
	case "E. Africa Standard Time":
		return "Africa/Nairobi"
	case "Jordan Standard Time":
		return "Asia/Amman"
	case "Middle East Standard Time":
		return "Asia/Beirut"
	case "Syria Standard Time":
		return "Asia/Damascus"
	case "West Bank Standard Time":
		return "Asia/Hebron"
	case "Israel Standard Time":
		return "Asia/Jerusalem"
	case "Arabic Standard Time":
		return "Asia/Baghdad"
	case "Arab Standard Time":
		return "Asia/Riyadh"
	case "Iran Standard Time":
		return "Asia/Tehran"
	case "Arabian Standard Time":
		return "Asia/Dubai"
	case "Azerbaijan Standard Time":
		return "Asia/Baku"
	case "Mauritius Standard Time":
		return "Indian/Mauritius"
	case "Georgian Standard Time":
		return "Asia/Tbilisi"
	case "Caucasus Standard Time":
		return "Asia/Yerevan"
	case "Afghanistan Standard Time":
		return "Asia/Kabul"
	case "West Asia Standard Time":
		return "Asia/Tashkent"
	case "Qyzylorda Standard Time":
		return "Asia/Qyzylorda"
	case "Ekaterinburg Standard Time":
		return "Asia/Yekaterinburg"
	case "Pakistan Standard Time":
		return "Asia/Karachi"
	case "India Standard Time":
		return "Asia/Calcutta"
	case "Sri Lanka Standard Time":
		return "Asia/Colombo"
	case "Nepal Standard Time":
		return "Asia/Katmandu"
	case "Central Asia Standard Time":
		return "Asia/Bishkek"
	case "Bangladesh Standard Time":
		return "Asia/Dhaka"
	case "Omsk Standard Time":
		return "Asia/Omsk"
	case "Myanmar Standard Time":
		return "Asia/Rangoon"
	case "SE Asia Standard Time":
		return "Asia/Bangkok"
	case "Altai Standard Time":
		return "Asia/Barnaul"
	case "W. Mongolia Standard Time":
		return "Asia/Hovd"
	case "North Asia Standard Time":
		return "Asia/Krasnoyarsk"
	case "N. Central Asia Standard Time":
		return "Asia/Novosibirsk"
	case "Tomsk Standard Time":
		return "Asia/Tomsk"
	case "China Standard Time":
		return "Asia/Shanghai"
	case "North Asia East Standard Time":
		return "Asia/Irkutsk"
	case "Singapore Standard Time":
		return "Asia/Singapore"
	case "W. Australia Standard Time":
		return "Australia/Perth"
	case "Taipei Standard Time":
		return "Asia/Taipei"
	case "Ulaanbaatar Standard Time":
		return "Asia/Ulaanbaatar"
	case "Aus Central W. Standard Time":
		return "Australia/Eucla"
	case "Transbaikal Standard Time":
		return "Asia/Chita"
	case "Tokyo Standard Time":
		return "Asia/Tokyo"
	case "North Korea Standard Time":
		return "Asia/Pyongyang"
	case "Korea Standard Time":
		return "Asia/Seoul"
	case "Yakutsk Standard Time":
		return "Asia/Yakutsk"
	case "Cen. Australia Standard Time":
		return "Australia/Adelaide"
	case "AUS Central Standard Time":
		return "Australia/Darwin"
	case "E. Australia Standard Time":
		return "Australia/Brisbane"
	case "AUS Eastern Standard Time":
		return "Australia/Sydney"
	case "West Pacific Standard Time":
		return "Pacific/Port_Moresby"
	case "Tasmania Standard Time":
		return "Australia/Hobart"
	case "Vladivostok Standard Time":
		return "Asia/Vladivostok"
	case "Lord Howe Standard Time":
		return "Australia/Lord_Howe"
	case "Bougainville Standard Time":
		return "Pacific/Bougainville"
	case "Russia Time Zone 10":
		return "Asia/Srednekolymsk"
	case "Magadan Standard Time":
		return "Asia/Magadan"
	case "Norfolk Standard Time":
		return "Pacific/Norfolk"
	case "Sakhalin Standard Time":
		return "Asia/Sakhalin"
	case "Central Pacific Standard Time":
		return "Pacific/Guadalcanal"
	case "Russia Time Zone 11":
		return "Asia/Kamchatka"
	case "New Zealand Standard Time":
		return "Pacific/Auckland"
	case "Fiji Standard Time":
		return "Pacific/Fiji"
	case "Chatham Islands Standard Time":
		return "Pacific/Chatham"
	case "Tonga Standard Time":
		return "Pacific/Tongatapu"
	case "Samoa Standard Time":
		return "Pacific/Apia"
	case "Line Islands Standard Time":
		return "Pacific/Kiritimati"
	}
	return ""
}

// describedZone knows a zone by the cities of its description.
func describedZone(name string) string {
	_, cities, _ := strings.Cut(name, ")")
	switch strings.TrimSpace(cities) {
	case "Dublin, Edinburgh, Lisbon, London", "Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London",
		"Greenwich Mean Time: Dublin, Edinburgh, Lisbon, London":
		return "Europe/London"
	case "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna":
		return "Europe/Berlin"
	case "Brussels, Copenhagen, Madrid, Paris":
		return "Europe/Paris"
	case "Belgrade, Bratislava, Budapest, Ljubljana, Prague":
		return "Europe/Budapest"
	case "Sarajevo, Skopje, Warsaw, Zagreb":
		return "Europe/Warsaw"
	case "Athens, Bucharest":
		return "Europe/Bucharest"
	case "Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius":
		return "Europe/Kiev"
	case "Istanbul":
		return "Europe/Istanbul"
	case "Eastern Time (US & Canada)":
		return "America/New_York"
	case "Central Time (US & Canada)":
		return "America/Chicago"
	case "Mountain Time (US & Canada)":
		return "America/Denver"
	case "Pacific Time (US & Canada)":
		return "America/Los_Angeles"
	case "Coordinated Universal Time":
		return "Etc/UTC"
	}
	return ""
}
