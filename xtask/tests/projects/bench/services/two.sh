greet "two"
