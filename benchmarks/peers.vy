# pragma version 0.4.3
# pragma optimize gas
# pragma evm-version prague
"""
@title Other ways to pay many, written anew from what they do, to be measured beside PairBank.
@license Apache-2.0
"""

MAX: constant(uint256) = 600
U160: constant(uint256) = 2**160 - 1

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

event BatchTransfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256
    closure: uint64

balances: HashMap[address, uint256]


@external
@payable
def deposit():
    """
    @notice Ether, or a token's units: the same book.
    """
    self.balances[msg.sender] += msg.value


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice As a token of the ERC-20 kind.
    """
    self.balances[msg.sender] -= amount
    self.balances[to] += amount
    log Transfer(sender=msg.sender, receiver=to, amount=amount)
    return True


@external
def bank_2016(words: DynArray[bytes32, MAX]):
    """
    @notice As the bank of 2016: an amount to each balance, an event for each.
    """
    left: uint256 = self.balances[msg.sender]
    for word: bytes32 in words:
        to: address = convert(convert(word, uint256) & U160, address)
        amount: uint256 = convert(word, uint256) >> 160
        if amount > left:
            break
        left = unsafe_sub(left, amount)
        self.balances[to] = unsafe_add(self.balances[to], amount)
        log Transfer(sender=msg.sender, receiver=to, amount=amount)
    self.balances[msg.sender] = left


@external
def closure_time(words: DynArray[bytes32, MAX], closure: uint64):
    """
    @notice As the batches with a closure time: all or nothing, no self and no zero, an event for each.
    """
    left: uint256 = self.balances[msg.sender]
    for word: bytes32 in words:
        to: address = convert(convert(word, uint256) & U160, address)
        amount: uint256 = convert(word, uint256) >> 160
        assert to != empty(address) and to != msg.sender
        assert amount <= left
        left = unsafe_sub(left, amount)
        self.balances[to] = unsafe_add(self.balances[to], amount)
        log BatchTransfer(sender=msg.sender, receiver=to, amount=amount, closure=closure)
    self.balances[msg.sender] = left
