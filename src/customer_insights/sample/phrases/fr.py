"""French."""

from customer_insights.sample.phrases.patterns import Phrases, things, tones, ways

PHRASES = Phrases(
    short=tones(
        """
        (nul|Nul !|Mauvais|Pas bien|Plus jamais)
        (👎|1 étoile|À éviter|Pas bon du tout)
        """,
        """
        (ok|Bof|moyen|Correct|ça va|sans plus)
        (👌|3 étoiles|rien de spécial|Comme prévu)
        """,
        """
        (bien|Super|super !|Parfait|Génial|très bien|Top)
        (👍|5 étoiles|❤️|Pas mal du tout|Rien à redire)
        """,
    ),
    title=tones(
        """
        (Déçu|Déception|À éviter|Plus jamais)
        Pas (terrible|à la hauteur|recommandé)
        """,
        """
        (Moyen|Mitigé|Sans plus|Correct)
        (Peut mieux faire|Ni bon ni mauvais)
        """,
        """
        (Très satisfait|Excellent|Ravie|Parfait)
        (Je recommande|Rien à redire|Belle surprise)
        """,
    ),
    opening=tones(
        """
        Je (regrette cet achat|suis très déçue|ne suis pas du tout satisfaite|m'attendais à mieux).
        (Quelle déception|Ce n'est pas ce qu'on m'avait promis|Une erreur de ma part).
        (Je n'ai rien de bon à dire|J'aurais dû acheter ailleurs).
        """,
        """
        (C'est correct, sans plus|Je suis partagée|Ni bon ni mauvais).
        (Dans l'ensemble moyen|Pas mal, mais pas génial non plus|Du bon et du moins bon).
        """,
        """
        Je suis (ravie|très contente|enchantée|vraiment satisfaite).
        (Exactement ce que je cherchais|Une très belle découverte|On ne peut pas faire mieux).
        (J'avais des doutes, mais je suis conquise|Je n'ai rien à redire|Pas déçue du tout).
        """,
    ),
    closing=tones(
        """
        (Je ne recommande pas|Plus jamais|Passez votre chemin|À fuir).
        (La prochaine fois, ce sera ailleurs|Vraiment dommage).
        """,
        """
        (On verra|Je chercherai peut-être autre chose|Acceptable).
        (Trois étoiles de ma part|Ça ira).
        """,
        """
        (Je recommande à tout le monde|Je reviendrai|Cinq étoiles|Continuez comme ça).
        (Toute la famille est ravie|Merci|Vous ne le regretterez pas).
        """,
    ),
    filler=ways(
        """
        (J'écris rarement des avis|Mon premier avis ici|On m'a demandé un avis, le voici).
        (Que dire de plus|Il n'y a pas grand-chose à ajouter|À chacun de se faire une idée).
        (J'y ai pensé longtemps et j'ai lu ce que les autres avaient écrit).
        """
    ),
    experience=ways(
        """
        Je m'en sers (tous les jours|presque chaque jour|chaque matin) depuis {n} (semaines|mois).
        Nous l'avons emporté en (mai|juin|septembre) pour un voyage de {n} jours.
        Ma (fille|sœur|voisine) l'a reçu pour son anniversaire et s'en sert depuis (mars|cet été).
        Je l'ai comparé avec {n} autres que j'ai à la maison.
        Après (environ {n} heures|{n} soirées|le premier week-end), je m'y suis habituée.
        Dans notre (petit appartement|cuisine|atelier), nous l'utilisons {n} fois par semaine.
        """
    ),
    aspects={
        "delivery": tones(
            """
            la livraison (a été beaucoup trop longue|était en retard|a pris {n} semaines|était très lente)
            (le colis|mon colis) (est arrivé abîmé|s'est perdu|est arrivé avec {n} jours de retard)
            personne ne savait où était mon colis
            la livraison (n'était pas rapide|n'était pas bonne|était tout sauf rapide)
            le livreur (n'a pas sonné|a jeté le colis par-dessus la clôture)
            """,
            """
            la livraison a pris {n} jours
            (le colis|mon colis) (a été laissé chez un voisin|est arrivé à la date prévue)
            l'expédition n'était ni rapide ni lente
            """,
            """
            la livraison (a été très rapide|était impeccable|s'est bien passée|n'était pas mal)
            (le colis|mon colis) (est arrivé le lendemain|est arrivé en avance|était bien emballé)
            (aucun problème|pas de souci) avec la livraison
            l'expédition a été (rapide et simple|super rapide)
            le livreur était (aimable|très gentil)
            """,
        ),
        "price": tones(
            """
            le prix est (beaucoup trop élevé|excessif|injustifié)
            c'est (trop cher|hors de prix|trop cher pour ce que c'est)
            cela ne vaut pas (son prix|l'argent)
            (on le trouve moins cher ailleurs|ailleurs, ça coûte la moitié)
            """,
            """
            le prix est (correct|moyen|normal)
            ce n'est ni cher ni bon marché
            ça coûte à peu près pareil partout
            """,
            """
            le prix est (très bon|imbattable|raisonnable|super)
            (bon rapport qualité-prix|très bonne affaire)
            ce n'est pas cher (du tout|pour ce que c'est)
            ça vaut (vraiment son prix|chaque centime)
            """,
        ),
        "product_quality": tones(
            """
            {thing} (a cassé après {n} jours|ne fonctionne pas|est de mauvaise qualité)
            {thing} (fait bas de gamme|ne ressemble pas à la photo|ne tient pas)
            {thing} présentait (des rayures|une fissure|un défaut)
            la (qualité|finition) est (mauvaise|décevante|médiocre|loin d'être bonne)
            """,
            """
            {thing} (fait l'affaire, sans plus|n'a rien de spécial)
            la (qualité|finition) est (moyenne|correcte)
            {thing} est moins grand que prévu
            """,
            """
            {thing} (fonctionne parfaitement|est vraiment magnifique|est de très bonne qualité)
            {thing} (semble solide et robuste|dépasse mes attentes|ne déçoit pas)
            {thing} n'est pas mal du tout
            la (qualité|finition) est (excellente|très bonne|impeccable|remarquable)
            """,
        ),
        "service": tones(
            """
            le service client (n'a pas répondu|était désagréable|n'a servi à rien|a ignoré mes mails)
            (les employés|les conseillers) (n'étaient pas aimables|étaient impolis|n'y connaissaient rien)
            j'ai attendu {n} jours une réponse du service client
            """,
            """
            le service client (a répondu après {n} jours|était correct)
            j'ai dû écrire {n} fois au service client
            (les employés|les conseillers) n'étaient ni aimables ni impolis
            """,
            """
            le service client (était aimable et efficace|a répondu tout de suite|était excellent)
            (les employés|les conseillers) (étaient très gentils|m'ont aidée aussitôt)
            rien à reprocher au service client
            """,
        ),
        "returns": tones(
            """
            le retour a été (un cauchemar|compliqué|tout sauf simple)
            j'attends toujours (le remboursement|mon remboursement)
            (le remboursement|l'échange) a été refusé
            j'ai dû payer le retour moi-même
            """,
            """
            je l'ai renvoyé et (j'attends|j'ai reçu une autre taille)
            (le remboursement|l'échange) a pris {n} jours
            """,
            """
            le retour a été (facile|gratuit et simple|sans problème)
            (le remboursement|l'échange) (a été rapide|n'était pas compliqué|s'est bien passé)
            on m'a remboursée tout de suite
            """,
        ),
    },
    contrast=(", mais ", ", par contre ", " ; en revanche, "),
    addition=(" et ", " ; "),
    contact=ways(
        """
        Ma commande porte le numéro {order}.
        Écrivez-moi à {mail}.
        On peut me joindre au {phone}.
        """
    ),
    things=things(
        "la bouilloire|la poêle|le couteau|la théière|le saladier|le café|la lampe|le coussin|"
        "la couverture|le miroir|le vase|l'horloge|la jardinière|la truelle|la lanterne|l'arrosoir|"
        "le nichoir|l'engrais|le puzzle|le robot|le jeu de société|le cerf-volant|"
        "la maison de poupée|le train|le savon|la crème pour les mains|la bougie|l'huile de bain|"
        "la brosse|le shampooing|le tapis de yoga|le sac à dos|la gourde|la raquette|le casque|"
        "la tente|le livre de cuisine|l'atlas|le roman|le journal|le carnet|le guide|"
        "le casque audio|l'enceinte|le chargeur|l'appareil photo|le clavier|la radio"
    ),
)
