#include "media/images/contact_sheet.h"

#include <string>

#include <gtest/gtest.h>

namespace t2v {
namespace {

Frames plain(int64_t width, int64_t height, uint8_t level) {
  return {.count = 1,
          .height = height,
          .width = width,
          .rgb = std::vector<uint8_t>(static_cast<size_t>(3 * width * height), level)};
}

uint8_t red_at(const Frames& frame, int64_t x, int64_t y) {
  return frame.rgb[static_cast<size_t>(3 * (y * frame.width + x))];
}

TEST(ContactSheet, PlacesPicturesInRows) {
  std::vector<LabelledPicture> pictures;
  for (uint8_t i = 0; i < 5; ++i) pictures.push_back({plain(40, 30, static_cast<uint8_t>(100 + i)), ""});
  pictures[1].picture = plain(20, 10, 101);  // in the middle of its place
  const Frames sheet = contact_sheet(pictures);
  EXPECT_EQ(sheet.width, 4 + 3 * 44);
  EXPECT_EQ(sheet.height, 4 + 2 * (30 + 18 + 4));
  EXPECT_EQ(sheet.rgb.size(), static_cast<size_t>(3 * sheet.width * sheet.height));
  EXPECT_EQ(red_at(sheet, 4, 4), 100);
  EXPECT_EQ(red_at(sheet, 43, 33), 100);
  EXPECT_EQ(red_at(sheet, 48, 4), 24);
  EXPECT_EQ(red_at(sheet, 58, 14), 101);
  EXPECT_EQ(red_at(sheet, 92, 4), 102);
  EXPECT_EQ(red_at(sheet, 4, 56), 103);
  EXPECT_EQ(red_at(sheet, 92, 56), 24);
}

/// The label as it is drawn, a character a point.
std::string drawn(const std::string& label) {
  const Frames sheet = contact_sheet({{plain(12 * static_cast<int64_t>(label.size()), 1, 0), label}});
  std::string text;
  for (int64_t row = 0; row < 7; ++row) {
    for (int64_t column = 0; column < 6 * static_cast<int64_t>(label.size()); ++column)
      text += red_at(sheet, 4 + 2 * column, 4 + 1 + 2 + 2 * row) > 100 ? '#' : ' ';
    text += '\n';
  }
  return text;
}

TEST(ContactSheet, DrawsNumbers) {
  EXPECT_EQ(drawn("-20"),
            "       ###   ###  \n"
            "      #   # #   # \n"
            "          # #   # \n"
            " ###    ##  #   # \n"
            "       #    #   # \n"
            "      #     #   # \n"
            "      #####  ###  \n");
  EXPECT_EQ(drawn("x").find('#'), std::string::npos);
}

TEST(ContactSheet, HasRoomForTheLongestLabel) {
  const Frames sheet = contact_sheet({{plain(16, 16, 0), "18446744073709551615"}});
  EXPECT_EQ(sheet.width, 4 + 20 * 12 + 4);
  EXPECT_EQ(red_at(sheet, 4 + (240 - 16) / 2, 4), 0);
}

TEST(ContactSheet, ShrinksInProportion) {
  EXPECT_EQ(sheet_picture_side(9), 320);
  EXPECT_EQ(sheet_picture_side(400), 204);
  EXPECT_EQ(sheet_picture_side(1'000'000), 48);
  const Frames shrunk = shrunk_to(plain(832, 480, 7), 320);
  EXPECT_EQ(shrunk.width, 320);
  EXPECT_EQ(shrunk.height, 184);
  EXPECT_EQ(shrunk_to(plain(64, 64, 7), 320).width, 64);
  EXPECT_EQ(shrunk_to(plain(2000, 1, 7), 320).height, 1);
}

}  // namespace
}  // namespace t2v
