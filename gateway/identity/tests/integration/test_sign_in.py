"""Signing in, staying signed in, and whoever tries without being allowed to."""


def test_a_right_password_signs_in(world, firm, door):
    answer = door.sign_in(firm.email).expect(200)
    assert answer.json["me"]["firm"]["id"] == str(firm.id)
    assert world.anonymous(answer.json["access_token"]).get("/me").expect(200).json == answer.json["me"]
