"""What clients may ask of a door: rate, concurrency and shedding, alone or shared by a fleet."""
