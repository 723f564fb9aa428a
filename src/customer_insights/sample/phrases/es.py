"""Spanish."""

from customer_insights.sample.phrases.patterns import Phrases, things, tones, ways

PHRASES = Phrases(
    short=tones(
        """
        (malo|Muy mal|Pésimo|Nunca más|fatal)
        (👎|1 estrella|No vale nada|Nada bueno)
        """,
        """
        (ok|regular|Normal|más o menos|Pasable)
        (👌|3 estrellas|nada especial|Lo esperado)
        """,
        """
        (bien|Muy bien|Genial|genial!|Perfecto|Excelente|buenísimo)
        (👍|5 estrellas|❤️|Nada mal|Todo bien)
        """,
    ),
    title=tones(
        """
        (Decepcionada|Nunca más|Una pena|Mala compra)
        No (lo recomiendo|vale la pena|es lo que esperaba)
        """,
        """
        (Regular|Normalito|Sin más|Ni bien ni mal)
        (Podría ser mejor|Sensaciones mezcladas)
        """,
        """
        (Encantada|Excelente|Muy contenta|Perfecto)
        (Muy recomendable|Gran compra|Sin ninguna queja)
        """,
    ),
    opening=tones(
        """
        (Me arrepiento de esta compra|Estoy muy decepcionada|No estoy nada contenta|Esperaba mucho más).
        (No es lo que me prometieron|Qué decepción|Fue un error).
        (No puedo decir nada bueno|Ojalá hubiera comprado en otro sitio).
        """,
        """
        (Está bien, sin más|Tengo sensaciones mezcladas|Ni bueno ni malo).
        (En general normal|No está mal, pero tampoco es genial|Cosas buenas y cosas malas).
        """,
        """
        Estoy (muy contenta|encantada|realmente satisfecha|feliz con la compra).
        (Justo lo que buscaba|Un gran descubrimiento|No se puede pedir más).
        (Tenía mis dudas, pero me ha encantado|No tengo ninguna queja|No me ha decepcionado en absoluto).
        """,
    ),
    closing=tones(
        """
        (No lo recomiendo|Nunca más|Ni lo intenten|Muy mal).
        (La próxima vez compraré en otra tienda|Una verdadera lástima).
        """,
        """
        (Ya veremos|Quizás busque otra cosa la próxima vez|Aceptable).
        (Tres estrellas|Cumple y ya está).
        """,
        """
        (Lo recomiendo a todo el mundo|Volveré a comprar|Cinco estrellas|Sigan así).
        (A toda mi familia le encanta|Gracias|No se arrepentirán).
        """,
    ),
    filler=ways(
        """
        (No suelo escribir opiniones|Mi primera opinión aquí|Me pidieron una opinión y aquí está).
        (Qué más puedo decir|No hay mucho que añadir|Cada uno tiene que decidir).
        (Lo pensé durante mucho tiempo y leí antes lo que otros habían escrito).
        """
    ),
    experience=ways(
        """
        Lo uso (todos los días|casi a diario|cada mañana) desde hace {n} (semanas|meses).
        Lo llevamos en (mayo|junio|septiembre) a un viaje de {n} días.
        Mi (hija|hermana|vecina) lo recibió por su cumpleaños y lo usa desde (marzo|el verano).
        Lo he comparado con otros {n} que tengo en casa.
        Después de (unas {n} horas|{n} tardes|el primer fin de semana) ya me he acostumbrado.
        En nuestro (piso pequeño|taller|jardín) lo usamos {n} veces por semana.
        """
    ),
    aspects={
        "delivery": tones(
            """
            (el envío|la entrega) (tardó demasiado|llegó tarde|tardó {n} semanas|fue muy lento)
            el paquete (llegó roto|se perdió|llegó con {n} días de retraso|llegó dañado)
            nadie sabía dónde estaba mi paquete
            el envío (no fue nada rápido|no fue bueno|fue de todo menos rápido)
            el repartidor (no llamó al timbre|tiró el paquete por encima de la valla)
            """,
            """
            (el envío|la entrega) tardó {n} días
            el paquete (quedó con un vecino|llegó en la fecha prevista)
            el envío no fue ni rápido ni lento
            """,
            """
            (el envío|la entrega) (fue muy rápido|llegó antes de tiempo|fue puntual|no estuvo nada mal)
            el paquete (llegó al día siguiente|venía bien embalado|llegó antes de lo previsto)
            (ningún problema|sin problemas) con el envío
            el envío fue (rápido y sencillo|rapidísimo)
            el repartidor fue (amable|muy simpático)
            """,
        ),
        "price": tones(
            """
            el precio es (demasiado alto|excesivo|injustificado)
            es (carísimo|demasiado caro|muy caro para lo que es)
            no vale (lo que cuesta|el dinero)
            (en otras tiendas cuesta la mitad|se encuentra más barato en otro sitio)
            """,
            """
            el precio es (normal|razonable sin más|el habitual)
            no es ni caro ni barato
            cuesta más o menos lo mismo en todas partes
            """,
            """
            el precio es (muy bueno|estupendo|imbatible|justo)
            (buena relación calidad-precio|una verdadera ganga)
            no es (nada caro|caro para lo que ofrece)
            (es muy barato|vale cada céntimo)
            """,
        ),
        "product_quality": tones(
            """
            {thing} (se rompió a los {n} días|no funciona|es de mala calidad)
            {thing} (parece endeble|no se parece a la foto|dejó de funcionar)
            {thing} llegó con (arañazos|una grieta|un defecto)
            (la calidad|el acabado) es (pésima|decepcionante|deficiente|lejos de ser buena)
            """,
            """
            {thing} (cumple, sin más|no tiene nada de especial)
            (la calidad|el acabado) es (normal|aceptable|regular)
            {thing} es más pequeño de lo que pensaba
            """,
            """
            {thing} (funciona perfectamente|es una maravilla|es de muy buena calidad)
            {thing} (parece resistente y sólido|supera lo esperado|no decepciona)
            {thing} no está nada mal
            (la calidad|el acabado) es (excelente|muy buena|estupenda|impecable)
            """,
        ),
        "service": tones(
            """
            (la atención al cliente|el servicio al cliente) (no respondió|fue desagradable|fue pésimo)
            (los empleados|los del teléfono) (no fueron amables|fueron maleducados|no tenían ni idea)
            esperé {n} días una respuesta de la atención al cliente
            """,
            """
            (la atención al cliente|el servicio al cliente) (respondió a los {n} días|fue normal)
            tuve que escribir {n} veces a la atención al cliente
            (los empleados|los del teléfono) no fueron ni amables ni maleducados
            """,
            """
            (la atención al cliente|el servicio al cliente) (fue muy amable|respondió enseguida|fue excelente)
            (los empleados|los del teléfono) (fueron muy simpáticos|me ayudaron enseguida)
            ninguna queja de la atención al cliente
            """,
        ),
        "returns": tones(
            """
            la devolución fue (una pesadilla|complicada|de todo menos fácil)
            todavía espero (el reembolso|mi reembolso)
            me negaron (el reembolso|la devolución)
            tuve que pagar yo la devolución
            """,
            """
            lo devolví y (estoy esperando|me mandaron otra talla)
            (el reembolso|el cambio) tardó {n} días
            """,
            """
            la devolución fue (fácil|gratuita y sencilla|muy cómoda)
            (el reembolso|el cambio) (fue rápido|no fue complicado|fue muy fácil)
            me devolvieron el dinero enseguida
            """,
        ),
    },
    contrast=(", pero ", ", sin embargo ", ", aunque "),
    addition=(" y además ", "; "),
    contact=ways(
        """
        Mi pedido es el {order}.
        Escríbanme a {mail}.
        Mi teléfono es {phone}.
        """
    ),
    things=things(
        "el hervidor|la sartén|el cuchillo|la tetera|el bol|el café|la lámpara|el cojín|la manta|"
        "el espejo|el jarrón|el reloj|la jardinera|la pala|el farol|la regadera|la casita de pájaros|"
        "el abono|el rompecabezas|el robot|el juego de mesa|la cometa|la casa de muñecas|el tren|"
        "el jabón|la crema de manos|la vela|el aceite de baño|el cepillo|el champú|"
        "la esterilla de yoga|la mochila|la botella|la raqueta|el casco|la tienda de campaña|"
        "el libro de cocina|el atlas|la novela|el diario|el cuaderno|la guía|el auricular|el altavoz|"
        "el cargador|la cámara|el teclado|la radio"
    ),
)
