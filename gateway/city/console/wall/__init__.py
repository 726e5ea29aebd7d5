"""The screen on a wall: 数字驾驶舱 of the city, 园区大脑 of a functional area."""
