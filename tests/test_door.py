"""Tokens, what each allows, and how wrong ones are slowed down."""

from stream.page.door import Door


def test_each_token_has_its_rights_and_no_other_has_any() -> None:
    door = Door()
    assert door.rights(door.control) == "control"
    assert door.rights(door.watch) == "watch"
    assert door.control != door.watch
    wrong = ["", door.control[:-1], door.control + "x", door.control.upper(), "ä\udcff"]
    assert [door.rights(each) for each in wrong] == [None] * len(wrong)


def test_tokens_are_long_and_new_each_time() -> None:
    tokens = {token for _ in range(20) for door in [Door()] for token in (door.control, door.watch)}
    assert len(tokens) == 40
    assert min(map(len, tokens)) >= 32


def test_wrong_tokens_of_an_address_wait_longer_and_longer_up_to_a_bound() -> None:
    now_s = [0.0]
    door = Door(clock=lambda: now_s[0])
    delays = [door.delay_s("10.0.0.1") for _ in range(20)]
    assert delays[:5] == [0.0] * 5
    assert delays == sorted(delays)
    assert delays[5] > 0
    assert delays[-1] == 4.0
    assert door.delay_s("10.0.0.2") == 0.0, "another address is not slowed down"
    now_s[0] = 61.0
    assert door.delay_s("10.0.0.1") == 0.0, "it is forgotten after a while"


def test_memory_of_wrong_tokens_is_bounded() -> None:
    door = Door()
    for number in range(10_050):
        door.delay_s(str(number))
    assert repr(door) == "Door(10000 addresses with wrong tokens)"


def test_a_door_does_not_show_its_tokens() -> None:
    door = Door()
    assert door.control not in repr(door)
    assert door.watch not in repr(door)
