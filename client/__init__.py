"""How people and agents talk to missions."""
