"""Portuguese."""

from customer_insights.sample.phrases.patterns import Phrases, things, tones, ways

PHRASES = Phrases(
    short=tones(
        """
        (ruim|Péssimo|Nunca mais|muito ruim|Horrível)
        (👎|1 estrela|Não presta|Nada bom)
        """,
        """
        (ok|mais ou menos|Normal|razoável|Regular)
        (👌|3 estrelas|nada de especial|Como esperado)
        """,
        """
        (bom|Muito bom|Ótimo|ótimo!|Perfeito|Adorei|excelente)
        (👍|5 estrelas|❤️|Nada mau|Tudo certo)
        """,
    ),
    title=tones(
        """
        (Decepcionada|Nunca mais|Que pena|Má compra)
        Não (recomendo|vale a pena|é o que eu esperava)
        """,
        """
        (Mais ou menos|Razoável|Mediano)
        (Podia ser melhor|Nem bom nem mau)
        """,
        """
        (Adorei|Excelente|Muito satisfeita|Perfeito)
        (Super recomendo|Ótima compra|Nada a reclamar)
        """,
    ),
    opening=tones(
        """
        (Arrependo-me desta compra|Estou muito decepcionada|Não estou nada satisfeita|Esperava muito mais).
        (Não é o que me prometeram|Que decepção|Foi um erro).
        (Não tenho nada de bom para dizer|Devia ter comprado em outro lugar).
        """,
        """
        (É razoável, nada mais|Tenho sentimentos mistos|Nem bom nem mau).
        (No geral, mediano|Não é mau, mas também não é ótimo|Umas coisas boas, outras não).
        """,
        """
        Estou (muito feliz|muito satisfeita|encantada|super contente).
        (Exatamente o que eu procurava|Uma ótima descoberta|Melhor é impossível).
        (Tinha as minhas dúvidas, mas adorei|Não tenho do que reclamar|Não me decepcionou nem um pouco).
        """,
    ),
    closing=tones(
        """
        (Não recomendo|Nunca mais|Procurem outra coisa|Uma pena).
        (Da próxima vez compro em outra loja|Fujam).
        """,
        """
        (Vamos ver|Talvez procure outra coisa da próxima vez|Aceitável).
        (Três estrelas|Dá para o gasto).
        """,
        """
        (Recomendo a todos|Vou comprar de novo|Cinco estrelas|Continuem assim).
        (A família toda adorou|Obrigada|Não vão se arrepender).
        """,
    ),
    filler=ways(
        """
        (Raramente escrevo avaliações|A minha primeira avaliação aqui|Pediram-me uma opinião, aqui está).
        (O que mais posso dizer|Não há muito a acrescentar|Cada um tem de decidir).
        (Pensei nisso durante muito tempo e antes li o que os outros tinham escrito).
        """
    ),
    experience=ways(
        """
        Uso (todos os dias|quase todos os dias|todas as manhãs) há {n} (semanas|meses).
        Em (maio|junho|setembro) levamos numa viagem de {n} dias.
        A minha (filha|irmã|vizinha) recebeu no aniversário e usa desde (março|o verão).
        Comparei com outros {n} que tenho em casa.
        Depois de (umas {n} horas|{n} noites|um fim de semana) já me acostumei.
        No nosso (apartamento pequeno|jardim|ateliê) usamos {n} vezes por semana.
        """
    ),
    aspects={
        "delivery": tones(
            """
            a entrega (demorou demais|atrasou|demorou {n} semanas|foi muito lenta)
            (a encomenda|o pacote) (chegou com defeito na caixa|se perdeu no caminho|chegou com {n} dias de atraso)
            ninguém sabia onde estava a minha encomenda
            o envio (não foi nada rápido|não foi bom|foi tudo menos rápido)
            o entregador (não tocou a campainha|atirou o pacote por cima do muro)
            """,
            """
            a entrega demorou {n} dias
            (a encomenda|o pacote) (ficou com um vizinho|chegou na data prevista)
            o envio não foi nem rápido nem lento
            """,
            """
            a entrega (foi muito rápida|chegou antes do prazo|foi pontual|não foi nada má)
            (a encomenda|o pacote) (chegou no dia seguinte|veio bem embalado|chegou antes do previsto)
            (nenhum problema|sem problemas) com a entrega
            o envio foi (rápido e simples|super rápido)
            o entregador foi (simpático|muito educado)
            """,
        ),
        "price": tones(
            """
            o preço é (alto demais|um absurdo|injustificado)
            é (caríssimo|caro demais|muito caro para o que é)
            não vale (o preço|o dinheiro)
            (em outras lojas custa metade|encontra-se mais barato em outro lugar)
            """,
            """
            o preço é (normal|mediano|dentro da média)
            não é nem caro nem barato
            custa mais ou menos o mesmo em toda parte
            """,
            """
            o preço é (ótimo|justo|imbatível|muito bom)
            (ótimo custo-benefício|uma verdadeira pechincha)
            não é (nada caro|caro para o que oferece)
            (é bem barato|vale cada centavo)
            """,
        ),
        "product_quality": tones(
            """
            {thing} (quebrou depois de {n} dias|não funciona|é de má qualidade)
            {thing} (parece frágil|não é como na foto|parou de funcionar)
            {thing} veio com (riscos|uma rachadura|defeito)
            (a qualidade|o acabamento) é (péssima|decepcionante|ruim|longe de ser boa)
            """,
            """
            {thing} (cumpre a função e só|não tem nada de especial)
            (a qualidade|o acabamento) é (mediana|aceitável|razoável)
            {thing} é menor do que eu pensava
            """,
            """
            {thing} (funciona perfeitamente|é uma maravilha|é de ótima qualidade)
            {thing} (parece forte e resistente|superou o que eu esperava|não decepciona)
            {thing} não é nada mau
            (a qualidade|o acabamento) é (excelente|muito boa|ótima|impecável)
            """,
        ),
        "service": tones(
            """
            o (atendimento|apoio ao cliente) (não respondeu|foi grosseiro|foi péssimo)
            (os funcionários|os atendentes) (não foram simpáticos|foram mal-educados|não sabiam nada)
            esperei {n} dias por uma resposta do atendimento
            """,
            """
            o (atendimento|apoio ao cliente) (respondeu depois de {n} dias|foi razoável)
            tive de escrever {n} vezes para o atendimento
            (os funcionários|os atendentes) não foram nem simpáticos nem grosseiros
            """,
            """
            o (atendimento|apoio ao cliente) (foi muito simpático|respondeu logo|foi excelente)
            (os funcionários|os atendentes) (foram muito atenciosos|me ajudaram logo)
            nada a reclamar do atendimento
            """,
        ),
        "returns": tones(
            """
            a devolução foi (um pesadelo|complicada|tudo menos fácil)
            ainda espero (o reembolso|pelo reembolso)
            recusaram (o reembolso|a troca)
            tive de pagar eu mesma a devolução
            """,
            """
            devolvi e (estou à espera|recebi outro tamanho)
            (o reembolso|a troca) demorou {n} dias
            """,
            """
            a devolução foi (fácil|gratuita e simples|muito prática)
            (o reembolso|a troca) (foi rápido|não foi complicado|foi muito fácil)
            devolveram o dinheiro na hora
            """,
        ),
    },
    contrast=(", mas ", ", porém ", ", no entanto "),
    addition=(" e também ", "; "),
    contact=ways(
        """
        O meu pedido é o {order}.
        Escrevam para {mail}.
        O meu telefone é {phone}.
        """
    ),
    things=things(
        "a chaleira|a frigideira|a faca|o bule|a tigela|o café|a luminária|a almofada|o cobertor|"
        "o espelho|o vaso|o relógio|a floreira|a pá|a lanterna|o regador|a casa de pássaros|o adubo|"
        "o quebra-cabeça|o robô|o jogo de tabuleiro|a pipa|a casa de bonecas|o trem|o sabonete|"
        "o creme para as mãos|a vela|o óleo de banho|a escova|o xampu|o tapete de ioga|a mochila|"
        "a garrafa|a raquete|o capacete|a barraca|o livro de receitas|o atlas|o romance|a agenda|"
        "o caderno|o guia|o fone|a caixa de som|o carregador|a câmera|o teclado|o rádio"
    ),
)
