"""German."""

from customer_insights.sample.phrases.patterns import Phrases, things, tones, ways

PHRASES = Phrases(
    short=tones(
        """
        (schlecht|Schlecht!|Nie wieder|mies|taugt nichts)
        (👎|1 Stern|Nicht gut|Schrott|Finger weg)
        """,
        """
        (ok|Okay|geht so|passt schon|na ja|mittelmäßig)
        (👌|3 Sterne|nichts Besonderes|wie erwartet)
        """,
        """
        (gut|Super|super!|Top|Klasse|Perfekt|sehr gut)
        (👍|5 Sterne|❤️|Gar nicht schlecht|Alles bestens)
        """,
    ),
    title=tones(
        """
        (Enttäuscht|Nie wieder|Leider nein|Reinfall)
        Nicht (zu empfehlen|was ich wollte|gut)
        """,
        """
        (Geht so|Mittelmaß|Gemischte Gefühle)
        (Könnte besser sein|Nicht schlecht, nicht gut)
        """,
        """
        (Sehr zufrieden|Klasse|Ausgezeichnet|Gerne wieder)
        (Absolute Empfehlung|Nichts zu meckern|Angenehm überrascht)
        """,
    ),
    opening=tones(
        """
        Ich (bereue den Kauf|bin sehr enttäuscht|bin überhaupt nicht zufrieden|hatte mehr erwartet).
        (Das war ein Fehlkauf|Leider nicht das, was versprochen wurde|So etwas ärgert mich).
        (Ich kann nichts Gutes berichten|Hätte ich bloß woanders bestellt).
        """,
        """
        (Es ist in Ordnung, mehr nicht|Ich bin zwiegespalten|Weder gut noch schlecht).
        (Alles in allem durchschnittlich|Nicht schlecht, aber auch nicht toll|Manches gut, manches nicht).
        """,
        """
        Ich bin (sehr zufrieden|begeistert|rundum glücklich|kein bisschen enttäuscht).
        (Genau das habe ich gesucht|Ein toller Fund|Besser geht es nicht).
        (Erst war ich skeptisch, jetzt bin ich begeistert|Ich habe nichts auszusetzen).
        """,
    ),
    closing=tones(
        """
        (Ich kann es nicht empfehlen|Nie wieder|Schade|Spart euch das).
        (Das nächste Mal woanders|Sehr ärgerlich|Finger weg).
        """,
        """
        (Mal sehen|Das nächste Mal suche ich vielleicht etwas anderes|Kann man machen).
        (Drei Sterne von mir|Es reicht aus).
        """,
        """
        (Ich empfehle es gerne weiter|Jederzeit wieder|Fünf Sterne|Weiter so).
        (Die ganze Familie freut sich|Danke|Ihr werdet es nicht bereuen).
        """,
    ),
    filler=ways(
        """
        (Ich schreibe selten Bewertungen|Meine erste Bewertung hier|Ich wurde um eine Bewertung gebeten).
        (Mehr gibt es nicht zu sagen|Was soll ich sonst schreiben|Das muss jeder selbst wissen).
        (Ich habe lange überlegt und vorher vieles gelesen, was andere geschrieben haben).
        """
    ),
    experience=ways(
        """
        Ich benutze es seit {n} (Wochen|Monaten) (jeden Tag|fast täglich|jeden Morgen).
        Wir hatten es im (Mai|Juni|September) {n} Tage lang auf einer Reise dabei.
        Meine (Tochter|Schwester|Nachbarin) hat es zum Geburtstag bekommen und nutzt es seit (März|dem Sommer).
        Ich habe es mit {n} anderen verglichen, die ich zu Hause habe.
        Nach (etwa {n} Stunden|{n} Abenden|dem ersten Wochenende) habe ich mich daran gewöhnt.
        In unserer (kleinen Wohnung|Küche|Werkstatt) steht es am Fenster, wir brauchen es {n} Mal pro Woche.
        """
    ),
    aspects={
        "delivery": tones(
            """
            die (Lieferung|Zustellung) (hat viel zu lange gedauert|kam zu spät|hat {n} Wochen gedauert|war sehr langsam)
            das (Paket|Päckchen) (kam eine Woche zu spät|war beschädigt|ging verloren|kam {n} Tage zu spät)
            niemand wusste, wo mein Paket war
            der Versand war (alles andere als schnell|nicht gut|gar nicht schnell)
            der Paketbote hat (nicht geklingelt|das Paket über den Zaun geworfen)
            """,
            """
            die (Lieferung|Zustellung) hat {n} Tage gedauert
            das (Paket|Päckchen) (wurde beim Nachbarn abgegeben|kam wie angekündigt)
            der Versand war weder schnell noch langsam
            """,
            """
            die (Lieferung|Zustellung) (war sehr schnell|kam pünktlich|verlief reibungslos|war nicht schlecht)
            das (Paket|Päckchen) (kam am nächsten Tag|kam früher als gedacht|war gut verpackt)
            der Versand war (schnell und einfach|super|flott)
            (keine Probleme|kein Ärger) mit dem Versand
            der Paketbote war (freundlich|sehr nett)
            """,
        ),
        "price": tones(
            """
            der Preis ist (viel zu hoch|eine Frechheit|nicht gerechtfertigt)
            es ist (überteuert|viel zu teuer|das Geld nicht wert)
            ich habe zu viel (bezahlt|Geld bezahlt)
            (anderswo kostet es die Hälfte|woanders gibt es das billiger)
            """,
            """
            der Preis ist (in Ordnung|durchschnittlich|normal)
            es ist weder billig noch teuer
            es kostet überall ungefähr gleich viel
            """,
            """
            der Preis ist (super|fair|unschlagbar|sehr gut)
            es ist (jeden Cent wert|ein echtes Schnäppchen|sehr günstig)
            das Preis-Leistungs-Verhältnis (stimmt|ist sehr gut)
            (gar nicht teuer|überraschend günstig) für das, was man bekommt
            """,
        ),
        "product_quality": tones(
            """
            {thing} (ging nach {n} Tagen kaputt|funktioniert nicht|ist schlecht verarbeitet)
            {thing} (wirkt billig|sieht nicht aus wie auf dem Bild|taugt nichts)
            {thing} kam mit (Kratzern|einem Riss|einem Defekt)
            die (Qualität|Verarbeitung) ist (schlecht|nicht gut|enttäuschend|miserabel)
            """,
            """
            {thing} ist (ganz ordentlich, aber nichts Besonderes|kleiner als gedacht)
            die (Qualität|Verarbeitung) ist (durchschnittlich|in Ordnung|mittelmäßig)
            {thing} tut, was man erwarten darf
            """,
            """
            {thing} (funktioniert einwandfrei|ist wunderschön|ist toll verarbeitet)
            {thing} (wirkt stabil und robust|ist noch schöner als auf dem Bild|hält, was man verspricht)
            {thing} ist (gar nicht schlecht|nicht kaputtzukriegen)
            die (Qualität|Verarbeitung) ist (ausgezeichnet|sehr gut|hervorragend|erstklassig)
            """,
        ),
        "service": tones(
            """
            der (Kundendienst|Kundenservice) (war unfreundlich|hat nicht geantwortet|war keine Hilfe)
            die Mitarbeiter (waren nicht hilfsbereit|hatten keine Ahnung|waren unhöflich)
            auf eine Antwort vom Kundenservice habe ich {n} Tage gewartet
            """,
            """
            der (Kundendienst|Kundenservice) (hat nach {n} Tagen geantwortet|war in Ordnung)
            ich musste dem Kundenservice {n} Mal schreiben
            die Mitarbeiter waren weder nett noch unfreundlich
            """,
            """
            der (Kundendienst|Kundenservice) (war freundlich und hilfsbereit|hat sofort geantwortet|war super)
            die Mitarbeiter (waren sehr nett|haben mir gleich geholfen)
            den Kundenservice kann ich nur loben
            """,
        ),
        "returns": tones(
            """
            die (Rücksendung|Rückgabe) war (ein Albtraum|kompliziert|alles andere als einfach)
            ich warte immer noch auf die Erstattung
            (der Umtausch|die Rückgabe) wurde abgelehnt
            das Rückporto musste ich selbst zahlen
            """,
            """
            ich habe es zurückgeschickt und (warte ab|eine andere Größe bekommen)
            (der Umtausch|die Erstattung) hat {n} Tage gedauert
            """,
            """
            die (Rücksendung|Rückgabe) war (einfach|kostenlos und einfach|kein Problem)
            (der Umtausch|die Erstattung) (ging schnell|war nicht kompliziert|lief problemlos)
            ich bekam mein Geld sofort zurück
            """,
        ),
    },
    contrast=(", aber ", ", allerdings: ", ", jedoch: "),
    addition=(" und ", "; "),
    contact=ways(
        """
        Meine Bestellnummer ist {order}.
        Bitte schreibt an {mail}.
        Ich bin erreichbar unter {phone}.
        """
    ),
    things=things(
        "der Wasserkocher|die Pfanne|das Messer|die Teekanne|die Rührschüssel|der Kaffee|die Lampe|"
        "das Kissen|die Decke|der Spiegel|die Vase|die Uhr|der Blumenkasten|die Schaufel|die Laterne|"
        "die Gießkanne|das Vogelhaus|der Dünger|das Puzzle|der Roboter|das Brettspiel|der Drachen|"
        "das Puppenhaus|der Zug|die Seife|die Handcreme|die Kerze|das Badeöl|die Bürste|das Shampoo|"
        "die Yogamatte|der Rucksack|die Flasche|der Schläger|der Helm|das Zelt|das Kochbuch|der Atlas|"
        "der Roman|das Tagebuch|das Skizzenbuch|der Reiseführer|der Kopfhörer|der Lautsprecher|"
        "das Ladegerät|die Kamera|die Tastatur|das Radio"
    ),
)
