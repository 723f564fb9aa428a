"""Italian."""

from customer_insights.sample.phrases.patterns import Phrases, things, tones, ways

PHRASES = Phrases(
    short=tones(
        """
        (pessimo|Male|Mai più|scarso|Orribile)
        (👎|1 stella|Non va bene|Niente di buono)
        """,
        """
        (ok|così così|Normale|nella media|Discreto)
        (👌|3 stelle|niente di che|Come previsto)
        """,
        """
        (bene|Ottimo|ottimo!|Perfetto|Bellissimo|Molto bene|top)
        (👍|5 stelle|❤️|Niente male|Tutto bene)
        """,
    ),
    title=tones(
        """
        (Delusa|Mai più|Che peccato|Pessimo acquisto)
        Non (lo consiglio|ne vale la pena|ci siamo)
        """,
        """
        (Così così|Nella media|Senza infamia e senza lode)
        (Si può migliorare|Né bene né male)
        """,
        """
        (Molto soddisfatta|Ottimo acquisto|Fantastico|Perfetto)
        (Consigliatissimo|Nessuna lamentela|Bella sorpresa)
        """,
    ),
    opening=tones(
        """
        (Mi pento di questo acquisto|Sono molto delusa|Non sono per niente contenta|Mi aspettavo di più).
        (Non è quello che mi avevano promesso|Che delusione|È stato un errore).
        (Non ho niente di buono da dire|Avrei dovuto comprare altrove).
        """,
        """
        (Va bene, niente di più|Ho sensazioni contrastanti|Né buono né cattivo).
        (Nel complesso nella media|Non male, ma nemmeno eccezionale|Alcune cose sì, altre no).
        """,
        """
        Sono (molto contenta|davvero soddisfatta|felicissima|entusiasta).
        (Proprio quello che cercavo|Una bellissima scoperta|Meglio di così non si può).
        (Ero scettica, ma mi ha conquistata|Non ho niente da ridire|Per niente delusa).
        """,
    ),
    closing=tones(
        """
        (Non lo consiglio|Mai più|Cercate altro|Davvero un peccato).
        (La prossima volta comprerò altrove|Lasciate perdere).
        """,
        """
        (Vedremo|Forse la prossima volta cercherò altro|Accettabile).
        (Tre stelle|Fa quello che deve).
        """,
        """
        (Lo consiglio a tutti|Comprerò ancora|Cinque stelle|Continuate così).
        (Piace a tutta la famiglia|Grazie|Non ve ne pentirete).
        """,
    ),
    filler=ways(
        """
        (Scrivo raramente recensioni|La mia prima recensione qui|Mi hanno chiesto un parere, eccolo).
        (Che altro dire|Non c'è molto da aggiungere|Ognuno deve decidere da sé).
        (Ci ho pensato a lungo e prima ho letto quello che avevano scritto gli altri).
        """
    ),
    experience=ways(
        """
        Lo uso (tutti i giorni|quasi ogni giorno|ogni mattina) da {n} (settimane|mesi).
        A (maggio|giugno|settembre) lo abbiamo portato in un viaggio di {n} giorni.
        Mia (figlia|sorella|vicina) lo ha ricevuto per il compleanno e lo usa da (marzo|quest'estate).
        L'ho confrontato con altri {n} che ho a casa.
        Dopo (circa {n} ore|{n} serate|il primo fine settimana) mi ci sono abituata.
        Nel nostro (piccolo appartamento|laboratorio|giardino) lo usiamo {n} volte a settimana.
        """
    ),
    aspects={
        "delivery": tones(
            """
            (la consegna|la spedizione) (ha richiesto troppo tempo|era in ritardo|ha richiesto {n} settimane|è stata lentissima)
            il pacco (è arrivato danneggiato|è andato perso|è arrivato con {n} giorni di ritardo)
            nessuno sapeva dove fosse il mio pacco
            la spedizione (non è stata veloce|non è stata buona|è stata tutt'altro che veloce)
            il corriere (non ha suonato|ha lanciato il pacco oltre la recinzione)
            """,
            """
            (la consegna|la spedizione) ha richiesto {n} giorni
            il pacco (è stato lasciato da un vicino|è arrivato nella data prevista)
            la spedizione non è stata né veloce né lenta
            """,
            """
            (la consegna|la spedizione) (è stata velocissima|è stata puntuale|è stata molto rapida|non era male)
            il pacco (è arrivato il giorno dopo|era imballato bene|è arrivato in anticipo)
            (nessun problema|senza problemi) con la consegna
            la spedizione è stata (veloce e semplice|rapidissima)
            il corriere è stato (gentile|molto cortese)
            """,
        ),
        "price": tones(
            """
            il prezzo è (troppo alto|esagerato|ingiustificato)
            è (carissimo|troppo caro|molto caro per quello che è)
            non vale (i soldi spesi|il prezzo)
            (altrove costa la metà|si trova a meno altrove)
            """,
            """
            il prezzo è (normale|nella media)
            non è né caro né economico
            costa più o meno uguale dappertutto
            """,
            """
            il prezzo è (ottimo|giusto|imbattibile|molto buono)
            (ottimo rapporto qualità-prezzo|un vero affare)
            non è (per niente caro|caro per quello che offre)
            (costa poco|vale ogni centesimo)
            """,
        ),
        "product_quality": tones(
            """
            {thing} (si è rotto dopo {n} giorni|non funziona|è di pessima qualità)
            {thing} (sembra fragile|non assomiglia alla foto|ha smesso di funzionare)
            {thing} aveva (dei graffi|una crepa|un difetto)
            (la qualità|la finitura) è (scarsa|deludente|pessima|tutt'altro che buona)
            """,
            """
            {thing} (fa il suo dovere e basta|non ha niente di speciale)
            (la qualità|la finitura) è (nella media|accettabile|discreta)
            {thing} è più piccolo del previsto
            """,
            """
            {thing} (funziona perfettamente|è una meraviglia|è di ottima qualità)
            {thing} (sembra solido e robusto|è meglio che nella foto|non delude)
            {thing} non è affatto male
            (la qualità|la finitura) è (ottima|eccellente|molto buona|impeccabile)
            """,
        ),
        "service": tones(
            """
            (l'assistenza|il servizio clienti) (non ha risposto|è stato scortese|è stato inutile)
            (gli operatori|gli addetti) (non erano gentili|erano maleducati|non sapevano nulla)
            ho aspettato {n} giorni una risposta dal servizio clienti
            """,
            """
            (l'assistenza|il servizio clienti) (ha risposto dopo {n} giorni|è nella norma)
            ho dovuto scrivere {n} volte al servizio clienti
            (gli operatori|gli addetti) non erano né gentili né scortesi
            """,
            """
            (l'assistenza|il servizio clienti) (è stato gentilissimo|ha risposto subito|è stato eccellente)
            (gli operatori|gli addetti) (erano molto cortesi|mi hanno aiutata subito)
            nessuna lamentela sul servizio clienti
            """,
        ),
        "returns": tones(
            """
            il reso è stato (un incubo|complicato|tutt'altro che facile)
            aspetto ancora (il rimborso|il mio rimborso)
            mi hanno negato (il rimborso|il reso)
            ho dovuto pagare io il reso
            """,
            """
            l'ho rispedito e (sto aspettando|mi hanno mandato un'altra taglia)
            (il rimborso|il cambio) ha richiesto {n} giorni
            """,
            """
            il reso è stato (facile|gratuito e semplice|comodissimo)
            (il rimborso|il cambio) (è stato veloce|non è stato complicato|è stato semplice)
            mi hanno rimborsata subito
            """,
        ),
    },
    contrast=(", ma ", ", però ", ", tuttavia "),
    addition=(" e inoltre ", "; "),
    contact=ways(
        """
        Il mio ordine è {order}.
        Scrivetemi a {mail}.
        Il mio numero è {phone}.
        """
    ),
    things=things(
        "il bollitore|la padella|il coltello|la teiera|la ciotola|il caffè|la lampada|il cuscino|"
        "la coperta|lo specchio|il vaso|l'orologio|la fioriera|la paletta|la lanterna|l'annaffiatoio|"
        "la casetta per uccelli|il concime|il puzzle|il robot|il gioco da tavolo|l'aquilone|"
        "la casa delle bambole|il trenino|il sapone|la crema mani|la candela|l'olio da bagno|"
        "la spazzola|lo shampoo|il tappetino yoga|lo zaino|la borraccia|la racchetta|il casco|"
        "la tenda|il libro di cucina|l'atlante|il romanzo|il diario|il quaderno|la guida|la cuffia|"
        "l'altoparlante|il caricatore|la fotocamera|la tastiera|la radio"
    ),
)
