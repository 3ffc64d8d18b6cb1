"""What is chosen by name, such as an executor, and the options each choice has."""
