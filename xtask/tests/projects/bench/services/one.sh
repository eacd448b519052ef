greet "one"
