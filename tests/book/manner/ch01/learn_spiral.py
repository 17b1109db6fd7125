import sys
sys.path.append('..')
import numpy as np
import matplotlib.pyplot as plt
from common import config
from common.functions import cross_entropy_error, relu, sigmoid, softmax
from common.layers import Affine, Dropout, Sigmoid, Softmax, SoftmaxWithLoss
from common.optimizer import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop
from common.trainer import Trainer
from dataset import spiral
from two_layer_net import TwoLayerNet

x, t = spiral.load_data()
assert x.shape == (300, 2) and t.shape == (300, 3) and t.sum() == 300

trainer = Trainer(TwoLayerNet(input_size=2, hidden_size=10, output_size=3), SGD(lr=1.0))
trainer.fit(x, t, 10, 30, eval_interval=10)
trainer.plot()
print('loss', trainer.loss_list[0], trainer.loss_list[-1])

# the same by hand, with each of the other optimisers
for optimizer in (Momentum(0.1, 0.9), Nesterov(0.1, 0.9), AdaGrad(0.1), RMSprop(0.01, 0.99), Adam(0.01)):
    model = TwoLayerNet(2, 10, 3)
    first = None
    for _ in range(8):
        loss = model.forward(x, t)
        model.backward()
        optimizer.update(model.params, model.grads)
        first = loss if first is None else first
    assert loss < first, type(optimizer).__name__

score = model.predict(x)
plt.scatter(x[:, 0], x[:, 1], c=np.argmax(score, axis=1))
plt.show()

# layers and functions by themselves; arrays are those of common.np, which a GPU has too
from common.np import np as xp
numbers = xp.array([[0.3, 2.9, 4.0], [-1.0, 0.0, 1.0]])
p = Softmax().forward(numbers)
assert abs(float((p - softmax(numbers)).sum())) < 1e-12
answers = xp.array([2, 0])
by_layer = SoftmaxWithLoss().forward(numbers, answers)
assert abs(float(by_layer) - float(cross_entropy_error(p, answers))) < 1e-5
assert float(relu(numbers).min()) == 0 and float(sigmoid(numbers)[1, 1]) == 0.5
affine = Affine(xp.ones((3, 2)), xp.zeros(2))
out = affine.forward(xp.array([[1, 2, 3]]))
affine.backward(xp.ones((1, 2)))
assert out.tolist() == [[6.0, 6.0]] and affine.grads[0].tolist() == [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
dropout = Dropout(0.5)
assert (dropout.forward(numbers, train_flg=False) == numbers).all()
assert dropout.forward(numbers).shape == Sigmoid().forward(numbers).shape == (2, 3)
print('GPU', config.GPU)
