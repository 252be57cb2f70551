//! Which items students link: those that one student answered, by any number of steps.

/// A forest of items, of which each tree is what is linked so far. The lowest number of a tree is
/// its root, so that the result depends on the items only; trees are halved on the way (Tarjan and
/// van Leeuwen 1984).
pub struct Linked(Vec<u32>);

impl Linked {
    /// Items from 0 on, none of them linked.
    pub fn none_of(items: usize) -> Self {
        Self((0..items as u32).collect())
    }

    /// The lowest item that an item is linked with.
    pub fn root_of(&mut self, mut item: u32) -> u32 {
        while self.0[item as usize] != item {
            let above = self.0[self.0[item as usize] as usize];
            self.0[item as usize] = above;
            item = above;
        }
        item
    }

    /// Links an item with those of a root; the root of all of them.
    pub fn link(&mut self, root: u32, item: u32) -> u32 {
        if self.0[item as usize] == root {
            return root;
        }
        let other = self.root_of(item);
        let (low, high) = (root.min(other), root.max(other));
        self.0[high as usize] = low;
        low
    }

    /// The root of every item.
    pub fn roots(mut self) -> Vec<u32> {
        (0..self.0.len() as u32)
            .map(|item| self.root_of(item))
            .collect()
    }
}
