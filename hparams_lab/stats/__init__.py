"""Statistics of plain numbers; they know no trials."""
