#pragma once

#include "t2v/text.h"
