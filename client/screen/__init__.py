"""How a mission looks: live on a terminal, line by line elsewhere, and at its end. Reports in, text out."""
